//! Exact decimal numbers for money and quantities. A binary float cannot hold 0.1, so none is on the way.
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub const INTEGER_DIGITS_MAX: u32 = 18;
pub const FRACTION_DIGITS_MAX: u32 = 18;

/// At most 18 digits before and 18 after the point, so that two can always be compared and added exactly.
/// `1.50` and `1.5` are equal. In JSON a string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// The number without its point, without trailing zeros behind the point.
    units: i128,
    /// Digits behind the point.
    scale: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a decimal number of at most {INTEGER_DIGITS_MAX} digits before and {FRACTION_DIGITS_MAX} after the point"
)]
pub struct NotADecimal;

impl Decimal {
    pub const ZERO: Self = Self { units: 0, scale: 0 };
    pub const ONE: Self = Self { units: 1, scale: 0 };

    /// `units` divided by ten to the power of `scale`: `(1050, 2)` is 10.50.
    pub fn new(units: i128, scale: u32) -> Option<Self> {
        let (mut units, mut scale) = (units, scale);
        while scale > 0 && units % 10 == 0 {
            units /= 10;
            scale -= 1;
        }
        let fits = scale <= FRACTION_DIGITS_MAX
            && units.unsigned_abs() / 10u128.pow(scale) < 10u128.pow(INTEGER_DIGITS_MAX);
        fits.then_some(Self { units, scale })
    }

    pub fn checked_add(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        Self::new(self.units_at(scale) + other.units_at(scale), scale)
    }

    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked_add(Self { units: -other.units, scale: other.scale })
    }

    pub fn checked_mul(self, other: Self) -> Option<Self> {
        Self::new(self.units.checked_mul(other.units)?, self.scale + other.scale)
    }

    /// Divided, and rounded once like [`Self::rounded`]. `None`: by zero, or too large.
    pub fn checked_div(self, by: u64, places: u32) -> Option<Self> {
        let places = places.min(FRACTION_DIGITS_MAX);
        let numerator = self.units.checked_mul(10i128.pow(places))?;
        let denominator = i128::from(by).checked_mul(10i128.pow(self.scale)).filter(|it| *it > 0)?;
        let half = denominator / 2 * numerator.signum();
        Self::new(numerator.checked_add(half)? / denominator, places)
    }

    pub fn is_negative(self) -> bool {
        self.units < 0
    }

    pub fn is_zero(self) -> bool {
        self.units == 0
    }

    /// The number when it has nothing behind the point.
    pub fn whole(self) -> Option<i64> {
        (self.scale == 0).then_some(self.units).and_then(|units| i64::try_from(units).ok())
    }

    /// To so many digits behind the point (at most 18), half away from zero: how money is written on a bill.
    pub fn rounded(self, places: u32) -> Self {
        let places = places.min(FRACTION_DIGITS_MAX);
        if self.scale <= places {
            return self;
        }
        let step = 10i128.pow(self.scale - places);
        let half = step / 2 * self.units.signum();
        Self::new((self.units + half) / step, places).unwrap_or(self)
    }

    /// Written with exactly so many digits behind the point, rounded like [`Self::rounded`]: `55` is `55.00`.
    pub fn fixed(self, places: u32) -> String {
        let places = places.min(FRACTION_DIGITS_MAX);
        write_units(self.rounded(places).units_at(places), places)
    }

    /// Cannot overflow up to 18 digits behind the point: see the bounds of the type.
    fn units_at(self, scale: u32) -> i128 {
        self.units * 10i128.pow(scale.saturating_sub(self.scale))
    }
}

fn write_units(units: i128, scale: u32) -> String {
    let width = scale as usize + 1;
    let digits = format!("{:0>width$}", units.unsigned_abs());
    let (whole, fraction) = digits.split_at(digits.len() - scale as usize);
    let sign = if units < 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

impl From<i32> for Decimal {
    fn from(number: i32) -> Self {
        Self { units: number.into(), scale: 0 }
    }
}

impl From<u32> for Decimal {
    fn from(number: u32) -> Self {
        Self { units: number.into(), scale: 0 }
    }
}

/// As JSON writes numbers (RFC 8259, 6), and leading zeros and a plus sign as well.
impl FromStr for Decimal {
    type Err = NotADecimal;

    fn from_str(text: &str) -> Result<Self, NotADecimal> {
        let (number, exponent) = match text.trim().split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i32>().map_err(|_| NotADecimal)?),
            None => (text.trim(), 0),
        };
        let digits = number.strip_prefix(['-', '+']).unwrap_or(number);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all = format!("{whole}{fraction}");
        let plain = !all.is_empty() && all.bytes().all(|byte| byte.is_ascii_digit());
        let significant = all.trim_start_matches('0');
        // Zeros at the end are not digits that count: 1.500000000000000000000 is a fine number.
        let kept = significant.trim_end_matches('0');
        if !plain || kept.len() > 36 || exponent.unsigned_abs() > 100 {
            return Err(NotADecimal);
        }
        if kept.is_empty() {
            return Ok(Self::ZERO);
        }
        let units: i128 = kept.parse().map_err(|_| NotADecimal)?;
        let signed = if number.starts_with('-') { -units } else { units };
        let behind = i64::try_from(fraction.len()).map_err(|_| NotADecimal)?;
        let zeros = i64::try_from(significant.len() - kept.len()).map_err(|_| NotADecimal)?;
        let scale = behind - zeros - i64::from(exponent);
        match u32::try_from(scale) {
            Ok(scale) if scale <= FRACTION_DIGITS_MAX => Self::new(signed, scale).ok_or(NotADecimal),
            Ok(_) => Err(NotADecimal),
            Err(_) => {
                let up = u32::try_from(-scale).map_err(|_| NotADecimal)?;
                let scaled = 10i128.checked_pow(up).and_then(|power| signed.checked_mul(power));
                scaled.and_then(|units| Self::new(units, 0)).ok_or(NotADecimal)
            }
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&write_units(self.units, self.scale))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        self.units_at(scale).cmp(&other.units_at(scale))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal {
        text.parse().unwrap_or_else(|_| panic!("{text}"))
    }

    #[test]
    fn a_tenth_and_two_tenths_are_three_tenths() {
        assert_eq!(number("0.1").checked_add(number("0.2")), Some(number("0.3")));
        assert_eq!(
            number("123456789012.34").checked_mul(number("3")).unwrap().to_string(),
            "370370367037.02"
        );
        assert_eq!(number("1").checked_sub(number("1.01")).unwrap().to_string(), "-0.01");
    }

    #[test]
    fn every_form_is_read_and_written_plainly() {
        for (text, written) in [
            ("0", "0"),
            ("-0.00", "0"),
            ("007", "7"),
            ("+1.50", "1.5"),
            ("55.00", "55"),
            ("1e3", "1000"),
            ("1.25E-2", "0.0125"),
            ("123456789.123456789012", "123456789.123456789012"),
            ("-.5", "-0.5"),
            ("999999999999999999.999999999999999999", "999999999999999999.999999999999999999"),
            ("100", "100"),
            ("1.500000000000000000000000000000000000000000000", "1.5"),
        ] {
            assert_eq!(number(text).to_string(), written, "{text}");
        }
        for bad in
            ["", "-", ".", "1.2.3", "1,5", "NaN", "1e", "1e999", "0x1", "1000000000000000000", "1e-19", "--1"]
        {
            assert_eq!(bad.parse::<Decimal>(), Err(NotADecimal), "{bad}");
        }
    }

    #[test]
    fn money_has_two_digits() {
        assert_eq!(number("55").fixed(2), "55.00");
        assert_eq!([number("1.005").fixed(2), number("-1.005").fixed(2)], ["1.01", "-1.01"]);
        assert_eq!([number("0.004").fixed(2), number("12.5").fixed(0)], ["0.00", "13"]);
    }

    #[test]
    fn a_quotient_is_rounded_once() {
        for (number_of, by, places, written) in [
            ("10", 3, 2, "3.33"),
            ("-10", 3, 2, "-3.33"),
            ("1", 8, 2, "0.13"),
            ("-1", 8, 2, "-0.13"),
            ("0.015", 3, 2, "0.01"),
            ("55", 1, 2, "55"),
        ] {
            assert_eq!(
                number(number_of).checked_div(by, places),
                Some(number(written)),
                "{number_of} / {by}"
            );
        }
        assert_eq!(number("1").checked_div(0, 2), None);
        assert_eq!(number("999999999999999999.999999999999999999").checked_div(3, 18), None);
    }

    #[test]
    fn order_and_equality_ignore_how_it_was_written() {
        assert!(
            number("1.50") == number("1.5")
                && number("-2") < number("0.001")
                && number("2") > number("1.999")
        );
        assert_eq!((number("3.0").whole(), number("3.1").whole()), (Some(3), None));
        let kept = serde_json::to_string(&number("1.10")).unwrap();
        assert_eq!(
            (kept.as_str(), serde_json::from_str::<Decimal>(&kept).unwrap()),
            ("\"1.1\"", number("1.1"))
        );
    }
}
