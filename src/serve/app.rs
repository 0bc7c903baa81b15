//! The server of one directory: who may ask, and what is answered.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use serde_json::json;

use crate::compare::find;
use crate::config::hint::in_a_line;
use crate::experiment::store::run_id::RunEntry;
use crate::io::host_name::host_name;
use crate::report;
use crate::serve::http::access::{self, Access};
use crate::serve::http::answer::{Answer, Kind};
use crate::serve::http::route::{self, LONGEST, Refusal, Route, TableQuery};
use crate::serve::http::server::Handler;
use crate::serve::pages::live_run::LiveRun;
use crate::serve::pages::run_page::{self, Shown};
use crate::serve::pages::shell;
use crate::serve::pages::sweep_page::OpenSweep;
use crate::serve::pages::table_page;
use crate::serve::system::System;
use crate::serve::table::matching::Matching;
use crate::serve::table::scan::Scanner;
use crate::serve::table::scanned::Scanned;

/// Minimum time between two looks for changes.
const PAUSE: Duration = Duration::from_secs(1);

/// Maximum share of the time that the scanner works is one of this number.
const REST: u32 = 20;

/// Time after the last request of a table after which nothing is read any more.
const IDLE: Duration = Duration::from_secs(15);

/// Time after which a run or sweep that no page shows is forgotten.
const UNUSED: Duration = Duration::from_secs(60);

/// The server of one directory.
pub struct App {
    access: Access,
    title: String,
    scanned: Scanned,
    matching: Mutex<Matching>,
    runs: Mutex<Cache<LiveRun>>,
    sweeps: Mutex<Cache<OpenSweep>>,
    system: System,
    started: Instant,
    /// Milliseconds from the start to the last request of a table.
    asked: AtomicU64,
}

/// Runs or sweeps that pages show, by id, and when each was used last.
struct Cache<T>(HashMap<String, (Instant, T)>);

impl<T> Cache<T> {
    /// Returns the value of an id, made by `make` if it is new. Values that were not used for long are dropped.
    fn get<E>(&mut self, id: &str, make: impl FnOnce() -> Result<T, E>) -> Result<&mut T, E> {
        self.0.retain(|_, (used, _)| used.elapsed() < UNUSED);
        let now = Instant::now();
        let (used, value) = match self.0.entry(id.to_owned()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert((now, make()?)),
        };
        *used = now;
        Ok(value)
    }
}

impl<T> Default for Cache<T> {
    fn default() -> Cache<T> {
        Cache(HashMap::new())
    }
}

/// Locks a value, whatever happened to another thread that held it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl App {
    /// Returns a server; `title` names what it shows.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn new(title: String) -> std::io::Result<App> {
        Ok(App {
            access: Access::new()?,
            title,
            scanned: Scanned::default(),
            matching: Mutex::default(),
            runs: Mutex::default(),
            sweeps: Mutex::default(),
            system: System::default(),
            started: Instant::now(),
            asked: AtomicU64::new(0),
        })
    }

    /// Returns the token.
    pub fn token(&self) -> &str {
        self.access.token()
    }

    /// Finds the runs and sweeps below these directories, without reading them.
    pub fn find(&self, roots: Vec<PathBuf>) -> Scanner {
        let mut scanner = Scanner::new(roots);
        scanner.find(&self.scanned);
        scanner
    }

    /// Keeps the table up to date as long as a page shows it.
    pub fn scan(&self, mut scanner: Scanner) {
        loop {
            let before = Instant::now();
            scanner.update(&self.scanned);
            std::thread::sleep(PAUSE.max(before.elapsed() * REST).min(10 * PAUSE));
            while self.idle() > IDLE {
                std::thread::sleep(PAUSE / 4);
            }
        }
    }

    /// Number of runs and of sweeps that were found.
    pub fn found(&self) -> (usize, usize) {
        let entries = self.scanned.entries();
        (entries.runs.len(), entries.sweeps.len())
    }

    fn idle(&self) -> Duration {
        self.started.elapsed().saturating_sub(Duration::from_millis(self.asked.load(Ordering::Relaxed)))
    }

    /// Returns what is asked for.
    ///
    /// # Errors
    /// When the request must not be answered: the answer that says why.
    fn admit(&self, request: &Parts) -> Result<(Route, bool), Answer> {
        let refuse = |status, text: &str| Err(Answer::error(status, text));
        if request.method != Method::GET && request.method != Method::HEAD {
            return refuse(StatusCode::METHOD_NOT_ALLOWED, "the pages can only be read: use GET or HEAD");
        }
        let (path, query) = (request.uri.path(), request.uri.query());
        if path.len() + query.map_or(0, str::len) > LONGEST {
            return refuse(StatusCode::URI_TOO_LONG, "the URL is too long");
        }
        if !access::is_local(&request.headers, request.uri.authority().map(|authority| authority.as_str())) {
            return refuse(StatusCode::FORBIDDEN, "the host must be localhost or 127.0.0.1");
        }
        let has_token = route::token(query).is_some_and(|token| self.access.is_token(&token));
        if !has_token && !self.access.has_cookie(&request.headers) {
            return refuse(
                StatusCode::FORBIDDEN,
                "the token is missing or wrong: open the URL that `runner serve` printed",
            );
        }
        match route::parse(path, query) {
            Ok(route) => Ok((route, has_token)),
            Err(Refusal::NotFound) => Err(Answer::error(StatusCode::NOT_FOUND, "there is no such page")),
            Err(Refusal::Invalid(text)) => Err(Answer::error(StatusCode::BAD_REQUEST, text)),
        }
    }

    fn respond(&self, route: Route) -> Result<Answer, Answer> {
        match route {
            Route::Table => {
                self.note_request();
                Ok(Answer::ok(Kind::Page, table_page::page(&self.title)))
            }
            Route::TableData(query) => {
                self.note_request();
                Ok(Answer::ok(Kind::Json, self.table(&query)))
            }
            Route::Runs(ids) => self.with_runs(&ids, |runs| Answer::ok(Kind::Page, run_page::page(runs))),
            Route::RunsData(ids, versions) => {
                self.with_runs(&ids, |runs| Answer::ok(Kind::Json, self.with_system(run_page::data(runs, versions))))
            }
            Route::Report(ids) => self.report(&ids),
            Route::Sweep(id) => self.with_sweep(&id, |sweep| Answer::ok(Kind::Page, sweep.page())),
            Route::SweepData(id, versions) => {
                self.with_sweep(&id, |sweep| Answer::ok(Kind::Json, self.with_system(sweep.data(versions))))
            }
            Route::SweepReport(id) => self.with_sweep(&id, |sweep| Answer::ok(Kind::Report, sweep.report())),
            Route::Asset(name) => {
                shell::asset(&name).ok_or_else(|| Answer::error(StatusCode::NOT_FOUND, "there is no such file"))
            }
            Route::Icon => Ok(Answer::nothing()),
        }
    }

    fn note_request(&self) {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.asked.store(now, Ordering::Relaxed);
    }

    /// Returns the data of the table.
    fn table(&self, query: &TableQuery) -> String {
        let mut more = vec![("host", json!(host_name()).to_string()), ("system", self.system())];
        if !query.filters.is_empty() {
            let mut matching = lock(&self.matching);
            let (version, ids) = matching.update(&query.filters, &self.scanned);
            more.push(("matched", version.to_string()));
            if query.matched != Some(version) {
                more.push(("matching", json!(ids).to_string()));
            }
        }
        self.scanned.table().to_json(query.since, query.setting.as_deref(), &more)
    }

    fn system(&self) -> String {
        json!(self.system.usage()).to_string()
    }

    /// Adds the load and the memory of the machine to a JSON object.
    fn with_system(&self, mut object: String) -> String {
        object.pop();
        format!("{object},\"system\":{}}}", self.system())
    }

    /// Returns the directory of a run, or of a stack of a sweep.
    fn run_entry(&self, id: &str) -> Result<RunEntry, Answer> {
        match id.split_once('.') {
            Some((sweep, stack)) => self.with_open_sweep(sweep, |sweep| sweep.stack(stack))?.ok_or_else(Answer::gone),
            None => self.scanned.entries().runs.get(id).cloned().ok_or_else(Answer::gone),
        }
    }

    /// Answers with these runs, after what changed is read.
    fn with_runs(&self, ids: &[String], answer: impl FnOnce(&[Shown]) -> Answer) -> Result<Answer, Answer> {
        let mut runs = lock(&self.runs);
        for id in ids {
            if !runs.get(id, || self.run_entry(id).map(LiveRun::new))?.update() {
                runs.0.remove(id);
                return Err(Answer::gone());
            }
        }
        let short_id = |id: &str| match id.split_once('.') {
            Some((_, stack)) => stack.to_owned(),
            None => self.scanned.table().short_id(id).to_owned(),
        };
        let shown = |id: &String| runs.0.get(id).map(|(_, run)| Shown { run, short_id: short_id(id) });
        Ok(answer(&ids.iter().filter_map(shown).collect::<Vec<_>>()))
    }

    fn report(&self, ids: &[String]) -> Result<Answer, Answer> {
        let folder = |id: &String| Ok(self.run_entry(id)?.folder.to_string_lossy().into_owned());
        let folders: Vec<String> = ids.iter().map(folder).collect::<Result<_, Answer>>()?;
        let found = find::find(&folders, Path::new("."));
        found.map(|found| Answer::ok(Kind::Report, report::page::html(&found))).map_err(|error| {
            Answer::error(StatusCode::NOT_FOUND, format!("there is no report yet: {}", in_a_line(&error)))
        })
    }

    /// Returns what `answer` finds in a sweep, as it was read last.
    fn with_open_sweep<T>(&self, id: &str, answer: impl FnOnce(&mut OpenSweep) -> T) -> Result<T, Answer> {
        let entry = || self.scanned.entries().sweeps.get(id).cloned().ok_or_else(Answer::gone);
        let open = || OpenSweep::open(entry()?).map_err(|error| unreadable(&error));
        lock(&self.sweeps).get(id, open).map(answer)
    }

    /// Answers with a sweep, after what changed is read.
    fn with_sweep(&self, id: &str, answer: impl FnOnce(&OpenSweep) -> Answer) -> Result<Answer, Answer> {
        let answered = self.with_open_sweep(id, |sweep| sweep.update().map(|()| answer(sweep)))?;
        answered.map_err(|error| {
            lock(&self.sweeps).0.remove(id);
            unreadable(&error)
        })
    }
}

/// The answer if the files of a sweep cannot be read.
fn unreadable(error: &anyhow::Error) -> Answer {
    Answer::error(StatusCode::NOT_FOUND, in_a_line(error))
}

impl Handler for App {
    fn answer(&self, request: &Parts) -> Answer {
        let (route, has_token) = match self.admit(request) {
            Ok(admitted) => admitted,
            Err(refusal) => return refusal,
        };
        let answer = self.respond(route).unwrap_or_else(|refusal| refusal);
        if has_token { answer.with_cookie(self.access.cookie()) } else { answer }
    }
}
