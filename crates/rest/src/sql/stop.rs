//! What a statement refuses to be kept with, after it did its work: it reads a setting that is not there, so that
//! PostgreSQL ends the transaction and nothing is half done. The setting's name says why. No function of ours could do
//! it: in somebody else's database there is none.
use pg::DbFault;

/// Why a transaction was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    ResponseHeaders,
    ResponseStatus,
    /// Not one row was written, but so many.
    NotOne(i64),
    TooMany(i64),
}

/// SQLSTATE of a setting that is not there.
const UNDEFINED_OBJECT: &str = "42704";
const PREFIX: &str = "obera.stop_";
/// The functions of PostgreSQL that miss a setting.
const ROUTINES: &[&str] = &["find_option", "GetConfigOptionByName"];

impl Stop {
    /// `None` for every other error.
    pub fn of(fault: &DbFault) -> Option<Self> {
        if fault.code().code() != UNDEFINED_OBJECT
            || !fault.routine().is_some_and(|routine| ROUTINES.contains(&routine))
        {
            return None;
        }
        let (_, name) = fault.message().split_once(PREFIX)?;
        let name = name.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()?;
        let rows = |prefix| name.strip_prefix(prefix)?.parse().ok();
        match name {
            "response_headers" => Some(Self::ResponseHeaders),
            "response_status" => Some(Self::ResponseStatus),
            _ => rows("not_one_").map(Self::NotOne).or_else(|| rows("too_many_").map(Self::TooMany)),
        }
    }
}

/// How many rows a write may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    Any,
    One,
    AtMost(u64),
}

impl super::Sql<'_> {
    /// The number of rows, if the transaction may be kept with it.
    pub(super) fn kept_count(&mut self, keep: Keep) -> &mut Self {
        let name = match keep {
            Keep::Any => return self.put("count(*)"),
            Keep::One => {
                self.put("case when count(*)=1");
                "not_one_"
            }
            Keep::AtMost(most) => {
                self.put("case when count(*)<=").bind(most.to_string()).put("::int8");
                "too_many_"
            }
        };
        self.fmt(format_args!(
            " then count(*) else current_setting('{PREFIX}{name}'||count(*)::text)::int8 end"
        ))
    }
}

/// `{"name":"value"}` and white space after it.
macro_rules! pair {
    () => {
        concat!(
            r#"\{[ \t\n\r]*"[-!#$%&''*+.^_`|~0-9A-Za-z]+"[ \t\n\r]*:[ \t\n\r]*""#,
            r#"(?:[^"\\\u0001-\u001f\u007f]|\\["\\/t]|\\u(?:0009|00[2-6][0-9A-Fa-f]|007[0-9A-Ea-e]"#,
            r#"|00[89A-Fa-f][0-9A-Fa-f]|0[1-9A-Fa-f][0-9A-Fa-f]{2}|[1-9A-CE-Fa-ce-f][0-9A-Fa-f]{3}|[Dd][0-7][0-9A-Fa-f]{2}))*""#,
            r#"[ \t\n\r]*\}[ \t\n\r]*"#
        )
    };
}

/// `,headers,status` as functions and triggers set them. A name is a token of RFC 9110 and none that frames the message, a
/// value has no control characters. An escape in a value is one of those that stay one character.
pub const RESPONSE: &str = concat!(
    r#",case when coalesce(current_setting('response.headers',true),'')='' then null"#,
    r#" when current_setting('response.headers',true)~'^[ \t\n\r]*\[[ \t\n\r]*(?:"#,
    pair!(),
    r#"(?:,[ \t\n\r]*"#,
    pair!(),
    r#")*)?\][ \t\n\r]*$' and current_setting('response.headers',true)"#,
    r#"!~*'"(?:content-length|transfer-encoding|connection|upgrade|keep-alive|trailer)"[ \t\n\r]*:'"#,
    r#" then current_setting('response.headers',true) else current_setting('obera.stop_response_headers') end"#,
    r#",case when coalesce(current_setting('response.status',true),'')='' then null"#,
    r#" when current_setting('response.status',true)~'^[2-5][0-9][0-9]$'"#,
    r#" then current_setting('response.status',true) else current_setting('obera.stop_response_status') end"#,
);
