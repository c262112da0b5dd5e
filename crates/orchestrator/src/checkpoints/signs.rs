//! Whether the key of this process is the one that signs for the installation. A rotation may have made another that,
//! while this server ran.

use drivers::ReadTx;
use models::account::Installation;

use crate::{errors::Error, spine::Spine};

/// The installation as it is stored; none before the first start. [`Error::OtherSigningKey`] where another key signs
/// for it: then this process signs nothing, and somebody has to start it again.
pub(crate) async fn installation(spine: &Spine, store: &ReadTx) -> Result<Option<Installation>, Error> {
    let stored = store.account().installation().await?;
    let own = spine.signing_key().public().id();
    let Some(other) = stored.as_ref().map(|stored| &stored.signing_key_id).filter(|key| **key != own) else {
        return Ok(stored);
    };
    let why = format!(
        "this store is signed with key {other}, and this server has key {own}: start it again with the key file of \
         {other} (HOC_SIGNING_KEY_FILE). Until then it signs nothing, neither checkpoints nor bundles"
    );
    spine.tell_other_key(&why);
    Err(Error::OtherSigningKey(why))
}
