//! What names of secrets have in them: one list for the names that are asked about and for the shapes that find them in texts.

/// What a name of a secret has in it, as a part of a shape that does not tell capitals from others. `$between` is what may stand
/// between two words of one name. Whether a name that has it is such a name is what `fields::classify` says.
macro_rules! stems {
    ($between:literal) => {
        concat!(
            "pass|pw|psk|psw|kennwort|secret|token|auth|jwt|bearer|credential|dsn|ssn|cvv|cvc|",
            "sess(?:ion)?",
            $between,
            "id|[0-9a-z]",
            $between,
            "key|social",
            $between,
            "security|card",
            $between,
            "n|credit",
            $between,
            "card|security",
            $between,
            "code",
        )
    };
}

/// What only counts where it is known to be a name, as that of a member is: in a text such words are ordinary.
macro_rules! stems_of_members {
    () => {
        "sess|cred|cookie|key|social|card|cc_?n|code|pin|otp|conn|iban"
    };
}

pub(super) use {stems, stems_of_members};
