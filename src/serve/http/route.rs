//! The pages and data that the server has, by path and query.
//!
//! Paths never become names of files: a run or a sweep is looked up by its id among those that were found.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::str::FromStr;

use crate::compare::runs::filter::Filter;

/// Maximum length of a path with its query.
pub const LONGEST: usize = 4096;

/// Maximum number of runs that are compared.
const MOST_RUNS: usize = 64;

/// A page, a part of one, or data.
#[derive(Clone, Debug, PartialEq)]
pub enum Route {
    /// The table of all runs and sweeps.
    Table,
    /// Data of the table.
    TableData(TableQuery),
    /// One run, or several that are compared.
    Runs(Vec<String>),
    /// Data of a page of runs.
    RunsData(Vec<String>, Versions),
    /// The report of runs.
    Report(Vec<String>),
    /// A sweep.
    Sweep(String),
    /// Data of a sweep.
    SweepData(String, Versions),
    /// The report of a sweep.
    SweepReport(String),
    /// A script or the style of the pages.
    Asset(String),
    /// The icon.
    Icon,
}

/// What a page has. Only other versions are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// Version of the data of its charts.
    pub data: Option<u64>,
    /// Version of its sections.
    pub sections: Option<u64>,
}

/// Returns a number that changes with a value, as far as JavaScript is exact: to 53 bits.
pub fn version_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish() >> 11
}

/// What a page asks of the table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableQuery {
    /// Version of the rows that the page has.
    pub since: Option<u64>,
    /// Only runs that match all of these.
    pub filters: Vec<Filter>,
    /// Version of the list of matching runs that the page has.
    pub matched: Option<u64>,
    /// A setting whose value each row gets.
    pub setting: Option<String>,
}

/// Why a path has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is nothing at the path.
    NotFound,
    /// The query is not valid.
    Invalid(String),
}

/// Returns what is at a path.
///
/// # Errors
/// When there is nothing, or the query is not valid.
pub fn parse(path: &str, query: Option<&str>) -> Result<Route, Refusal> {
    let query = Query::parse(query.unwrap_or_default())?;
    let parts: Vec<&str> = path.strip_prefix('/').ok_or(Refusal::NotFound)?.split('/').collect();
    match parts[..] {
        [""] => Ok(Route::Table),
        ["data", "table"] => Ok(Route::TableData(query.table()?)),
        ["run", ids] => Ok(Route::Runs(run_ids(ids)?)),
        ["data", "run", ids] => Ok(Route::RunsData(run_ids(ids)?, query.versions()?)),
        ["report", ids] => Ok(Route::Report(run_ids(ids)?)),
        ["sweep", id] => Ok(Route::Sweep(id_of(id)?)),
        ["data", "sweep", id] => Ok(Route::SweepData(id_of(id)?, query.versions()?)),
        ["sweep", id, "report"] => Ok(Route::SweepReport(id_of(id)?)),
        ["assets", name] => Ok(Route::Asset(name.to_owned())),
        ["favicon.ico"] => Ok(Route::Icon),
        _ => Err(Refusal::NotFound),
    }
}

/// Returns the value of `token` in a query.
pub fn token(query: Option<&str>) -> Option<String> {
    Query::parse(query?).ok()?.first("token").map(str::to_owned)
}

/// Returns the ids of runs, separated by commas. A stack of a sweep is `<sweep>.<stack>`.
fn run_ids(text: &str) -> Result<Vec<String>, Refusal> {
    let mut ids: Vec<String> = Vec::new();
    for id in text.split(',') {
        let (run, stack) = id.split_once('.').unwrap_or((id, "S0"));
        let is_stack = (1..=32).contains(&stack.len())
            && stack.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !is_stack || id_of(run).is_err() {
            return Err(Refusal::NotFound);
        }
        if !ids.iter().any(|other| other == id) {
            ids.push(id.to_owned());
        }
    }
    match ids.len() {
        1..=MOST_RUNS => Ok(ids),
        found => Err(Refusal::Invalid(format!("at most {MOST_RUNS} runs can be compared, found {found}"))),
    }
}

/// Returns an id: 12 hex digits.
fn id_of(text: &str) -> Result<String, Refusal> {
    let is_id = text.len() == 12 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_id.then(|| text.to_owned()).ok_or(Refusal::NotFound)
}

/// The pairs of a query.
struct Query(Vec<(String, String)>);

impl Query {
    fn parse(text: &str) -> Result<Query, Refusal> {
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        };
        text.split('&').filter(|pair| !pair.is_empty()).map(pair).collect::<Result<_, _>>().map(Query)
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    fn first<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }

    fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let number = |text: &str| {
            text.parse().map_err(|_| Refusal::Invalid(format!("`{name}` must be a number, found `{text}`")))
        };
        self.first(name).map(number).transpose()
    }

    fn versions(&self) -> Result<Versions, Refusal> {
        Ok(Versions { data: self.number("data")?, sections: self.number("sections")? })
    }

    fn table(&self) -> Result<TableQuery, Refusal> {
        let filters = self.all("filter").map(|text| Filter::from_str(text).map_err(Refusal::Invalid));
        Ok(TableQuery {
            since: self.number("since")?,
            filters: filters.collect::<Result<_, _>>()?,
            matched: self.number("matched")?,
            setting: self.first("setting").map(str::to_owned).filter(|setting| !setting.is_empty()),
        })
    }
}

/// Decodes `%20` and `+`.
fn decode(text: &str) -> Result<String, Refusal> {
    let fail = || Refusal::Invalid("the query is not valid: expected UTF-8 with `%` and two hex digits".to_owned());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(rest.next()), digit(rest.next()));
                u8::try_from(high.ok_or_else(fail)? * 16 + low.ok_or_else(fail)?).map_err(|_| fail())?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| fail())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789ab";

    #[test]
    fn paths_lead_to_pages_and_data() {
        let ids = || vec![ID.to_owned()];
        assert_eq!(parse("/", Some("token=x")), Ok(Route::Table));
        assert_eq!(parse(&format!("/run/{ID}"), None), Ok(Route::Runs(ids())));
        assert_eq!(parse(&format!("/run/{ID},{ID}"), None), Ok(Route::Runs(ids())));
        let stack = format!("{ID}.S012");
        assert_eq!(parse(&format!("/report/{stack}"), None), Ok(Route::Report(vec![stack])));
        assert_eq!(
            parse(&format!("/data/run/{ID}"), Some("data=7")),
            Ok(Route::RunsData(ids(), Versions { data: Some(7), sections: None }))
        );
        assert_eq!(parse(&format!("/sweep/{ID}/report"), None), Ok(Route::SweepReport(ID.to_owned())));
        let Ok(Route::TableData(query)) =
            parse("/data/table", Some("since=3&filter=lr%3C0.1&filter=status%3Dearly+stopped&setting=train.batch"))
        else {
            panic!("no table");
        };
        assert_eq!((query.since, query.filters.len(), query.setting.as_deref()), (Some(3), 2, Some("train.batch")));
    }

    #[test]
    fn other_paths_lead_nowhere() {
        for path in [
            "",
            "x",
            "/run",
            "/run/",
            "/run/..",
            "/run/../x",
            "/run/0123",
            "/run/0123456789AB",
            "//",
            "/data",
            "/assets/a/b",
            "/run/0123456789ab.",
            "/run/0123456789ab.a/../b",
            "/run/0123456789ab.%2e%2e",
            "/run/0123456789ab,",
            "/sweep/x",
        ] {
            assert_eq!(parse(path, None), Err(Refusal::NotFound), "{path}");
        }
        for query in ["since=x", "since=-1", "filter=lr", "filter=%zz", "filter=%f", "filter=%ff%fe"] {
            assert!(matches!(parse("/data/table", Some(query)), Err(Refusal::Invalid(_))), "{query}");
        }
        let many: Vec<String> = (0..65).map(|number| format!("{number:012}")).collect();
        assert!(matches!(parse(&format!("/run/{}", many.join(",")), None), Err(Refusal::Invalid(_))));
    }

    #[test]
    fn the_token_is_in_the_query() {
        assert_eq!(token(Some("a=b&token=c%20d")).as_deref(), Some("c d"));
        assert_eq!(token(Some("tokens=c")), None);
        assert_eq!(token(None), None);
    }
}
