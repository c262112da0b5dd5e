//! Check digits and number ranges: what tells a card number from any sixteen digits.

/// Whether the digits have a valid check digit (ISO/IEC 7812, Luhn).
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let value = u32::from(digit - b'0') * if at % 2 == 1 { 2 } else { 1 };
            if value > 9 { value - 9 } else { value }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether the digits are a payment card's number: of an issuer's range and length, with a valid check digit.
pub(super) fn is_card(digits: &[u8]) -> bool {
    issued(digits) && luhn(digits)
}

fn issued(digits: &[u8]) -> bool {
    let first =
        |count: usize| digits.iter().take(count).fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    let (two, three, four) = (first(2), first(3), first(4));
    match digits.len() {
        13 => first(1) == 4 || maestro(four),
        14 => matches!(three, 300..=305) || matches!(two, 36 | 38 | 39) || maestro(four),
        15 => matches!(two, 34 | 37) || maestro(four),
        16 => {
            first(1) == 4
                || matches!(two, 51..=55 | 62 | 65)
                || matches!(four, 2_221..=2_720 | 6_011 | 3_528..=3_589 | 2_200..=2_204)
                || matches!(three, 644..=649)
                || maestro(four)
        }
        17..=18 => two == 62 || maestro(four),
        19 => first(1) == 4 || matches!(two, 62 | 65) || four == 6_011 || maestro(four),
        _ => false,
    }
}

fn maestro(four: u32) -> bool {
    matches!(four, 5_018 | 5_020 | 5_038 | 5_893 | 6_304 | 6_759 | 6_761..=6_763)
}

/// Lengths of an IBAN by country (SWIFT's registry).
#[rustfmt::skip]
const IBAN_LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// How many letters and digits an IBAN of the country has.
pub(super) fn iban_length(country: [u8; 2]) -> Option<usize> {
    let country = country.map(|letter| letter.to_ascii_uppercase());
    IBAN_LENGTHS.iter().find(|(code, _)| **code == country).map(|(_, length)| *length)
}

/// Whether letters and digits, without blanks, have a valid check number (ISO 7064, mod 97-10).
pub(super) fn mod_97(iban: &[u8]) -> bool {
    let rearranged = iban.iter().skip(4).chain(iban.iter().take(4));
    let rest = rearranged.fold(0_u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        letter => (rest * 100 + u32::from(letter.to_ascii_uppercase() - b'A') + 10) % 97,
    });
    rest == 1
}

/// Whether nine digits can be a US social security number.
pub(super) fn is_ssn(digits: &[u8]) -> bool {
    let number =
        |from: usize, to: usize| digits[from..to].iter().fold(0_u32, |sum, d| sum * 10 + u32::from(d - b'0'));
    let area = number(0, 3);
    area != 0 && area != 666 && area < 900 && number(3, 5) != 0 && number(5, 9) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rustfmt::skip]
    const CARDS: &[&str] = &[
        "4111111111111111", "4242424242424242", "4222222222222", "5555555555554444", "2223003122003222",
        "378282246310005", "371449635398431", "6011111111111117", "30569309025904", "38520000023237",
        "3530111333300000", "6200000000000005", "6759649826438453", "6304000000000000",
    ];

    #[test]
    fn card_numbers_that_issuers_publish_for_tests_are_cards() {
        for card in CARDS {
            assert!(is_card(card.as_bytes()), "{card}");
        }
        for other in
            ["4111111111111112", "1234567890123452", "1700000000000000", "0000000000000000", "79927398713"]
        {
            assert!(!is_card(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn ibans_of_the_registry_pass_and_a_changed_digit_does_not() {
        for iban in [
            "DE89370400440532013000",
            "GB29NWBK60161331926819",
            "FR1420041010050500013M02606",
            "NO9386011117947",
            "MT84MALT011000012345MTLCAST001S",
            "CH9300762011623852957",
            "SC18SSCB11010000000000001497USD",
        ] {
            let code = [iban.as_bytes()[0], iban.as_bytes()[1]];
            assert_eq!(iban_length(code), Some(iban.len()), "{iban}");
            assert!(mod_97(iban.as_bytes()), "{iban}");
            assert!(mod_97(iban.to_lowercase().as_bytes()));
            assert!(!mod_97(iban.replacen('1', "2", 1).replacen("DE89", "DE88", 1).as_bytes()), "{iban}");
        }
        assert_eq!(iban_length(*b"ZZ"), None);
    }

    #[test]
    fn numbers_that_were_never_issued_are_no_ssn() {
        assert!(is_ssn(b"123456789"));
        for never in [b"000456789", b"666456789", b"900456789", b"123006789", b"123450000"] {
            assert!(!is_ssn(never));
        }
    }
}
