//! Pieces that several shapes share. A shape has `(?&name)` where a piece belongs, and [`whole`] writes it out.

/// What a name of a secret has in it, as a part of a shape that does not tell capitals from others. `(?&between)` is
/// what may stand between two words of one name. The words for a password in other languages are French, Spanish,
/// Portuguese, Dutch, Polish, Swedish, Russian, Chinese, Japanese, Korean, Czech, Hungarian, Finnish, Danish, Croatian,
/// Turkish, Indonesian, Vietnamese, Bulgarian, Serbian, Greek, Hebrew, Arabic and Persian. Whether a name that has it
/// is such a name is what `fields::classify` says.
const STEMS: &str = concat!(
    "pass|pw|psk|psw|secret|token|auth|jwt|bearer|credential|dsn|ssn|cvv|cvc|",
    "kennwort|mot[ _-]?de[ _-]?passe|contrase[n\u{f1}]a|senha|wachtwoord|has[l\u{142}]o|l[o\u{f6}]senord|",
    "\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}|\u{5bc6}[\u{7801}\u{78bc}]|",
    "\u{30d1}\u{30b9}\u{30ef}\u{30fc}\u{30c9}|\u{be44}\u{bc00}\u{bc88}\u{d638}|",
    "heslo|jelsz[o\u{f3}]|salasana|adgangskode|lozinka|[s\u{15f}]ifre|kata[ _-]?sandi|mat[ _-]?khau|",
    // Letters that have capitals are many texts to look for: so these are told in two ways only.
    "(?-i:[mM]\u{1ead}t kh\u{1ea9}u|[\u{43f}\u{41f}]\u{430}\u{440}\u{43e}\u{43b}\u{430}|\u{41f}\u{410}\u{420}\u{41e}\u{41b}\u{410}|",
    "[\u{43b}\u{41b}]\u{43e}\u{437}\u{438}\u{43d}\u{43a}\u{430}|",
    "\u{3c3}\u{3c5}\u{3bd}\u{3b8}\u{3b7}\u{3bc}\u{3b1}\u{3c4}\u{3b9}\u{3ba}\u{3cc}|",
    "[\u{3ba}\u{39a}]\u{3c9}\u{3b4}\u{3b9}\u{3ba}\u{3cc}\u{3c2} \u{3c0}\u{3c1}\u{3cc}\u{3c3}\u{3b2}\u{3b1}\u{3c3}\u{3b7}\u{3c2})|",
    "\u{5e1}\u{5d9}\u{5e1}\u{5de}[\u{5d4}\u{5d0}]|",
    "\u{643}\u{644}\u{645}\u{629} (?:\u{627}\u{644}\u{645}\u{631}\u{648}\u{631}|\u{627}\u{644}\u{633}\u{631})|",
    "\u{631}\u{645}\u{632} \u{639}\u{628}\u{648}\u{631}|",
    "sess(?:ion)?(?&between)id|[0-9a-z](?&between)key|social(?&between)security|card(?&between)n|",
    "credit(?&between)card|security(?&between)code",
);

/// What only counts where it is known to be a name, as that of a member is: in a text such words are ordinary.
const STEMS_OF_MEMBERS: &str = "sess|cred|cookie|key|social|card|cc_?n|code|pin|otp|conn|iban";

/// A word that holds what names of secrets hold. Whether it is such a name is what the judge asks.
const NAME: &str = r"([0-9a-z_.\-]*(?:(?&stems))[0-9a-z_.\-]*)";

/// A word that ends as names of secrets do.
const SECRET: &str =
    r"([0-9a-z_]*(?:passw(?:or)?d|pwd|pw|passphrase|passwort|kennwort|secret|token|api_?key))";

/// What a sentence calls a password.
const PASSWORD: &str = r"(?-u:\b)(?:pass[ \-]?(?:word|wd|wort|phrase|code)|kennwort|contrase(?:n|\x{f1})a|mot[ ]de[ ]passe|senha|p/?w)";

/// The names of the tools in `commands`.
const TOOLS: &str = concat!(
    "sshpass|mysql(?:dump|admin|import|check|show)?|mariadb(?:-dump|-admin)?|7z[az]?|",
    "mongo(?:sh|dump|restore|import|export)?|(?:redis|valkey)-cli|sqlcmd|bcp|osql|(?:un)?zip|",
    "user(?:add|mod)|twine|cqlsh|beeline|rdesktop|psexec|evil-winrm|crackmapexec|nxc|hydra|ipmitool|",
    "mosquitto_(?:pub|sub)|(?:un)?rar|ssh-keygen|openssl|snmp(?:get|set|walk)|swaks|",
    "ldap(?:search|add|modify|delete|whoami|passwd)|docker|podman|nerdctl|buildah|skopeo|helm|oc|az",
);

/// The shape with its pieces written out. A name that no piece has is left, and no shape with one compiles.
pub(super) fn whole(shape: &str) -> String {
    let stems = |between: &str| STEMS.replace("(?&between)", between);
    shape
        .replace("(?&name)", &NAME.replace("(?&stems)", &stems(r"[_.\-]?")))
        .replace("(?&stems)", &stems(r"[ _.\-]?"))
        .replace("(?&stems_of_members)", STEMS_OF_MEMBERS)
        .replace("(?&secret)", SECRET)
        .replace("(?&password)", PASSWORD)
        .replace("(?&tools)", TOOLS)
}
