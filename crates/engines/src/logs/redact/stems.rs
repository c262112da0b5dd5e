//! What names of secrets have in them: one list for the names that are asked about and for the shapes that find them in texts.

/// What a name of a secret has in it, as a part of a shape that does not tell capitals from others. `$between` is what may stand
/// between two words of one name. The words for a password in other languages are French, Spanish, Portuguese, Dutch, Polish,
/// Swedish, Russian, Chinese, Japanese and Korean. Whether a name that has it is such a name is what `fields::classify` says.
macro_rules! stems {
    ($between:literal) => {
        concat!(
            "pass|pw|psk|psw|secret|token|auth|jwt|bearer|credential|dsn|ssn|cvv|cvc|",
            "kennwort|mot[ _-]?de[ _-]?passe|contrase[n\u{f1}]a|senha|wachtwoord|has[l\u{142}]o|l[o\u{f6}]senord|",
            "\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}|\u{5bc6}[\u{7801}\u{78bc}]|",
            "\u{30d1}\u{30b9}\u{30ef}\u{30fc}\u{30c9}|\u{be44}\u{bc00}\u{bc88}\u{d638}|",
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

/// A word that holds what names of secrets hold. Whether it is such a name is what the judge asks.
macro_rules! name {
    () => {
        concat!(r"([0-9a-z_.\-]*(?:", stems!(r"[_.\-]?"), r")[0-9a-z_.\-]*)")
    };
}

pub(super) use {name, stems, stems_of_members};
