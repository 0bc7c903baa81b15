//! `runner serve`

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, anyhow};

use crate::cli::args::sweeps_dir::SweepsDir;
use crate::cli::args::user_defaults;
use crate::cli::exit::Exit;
use crate::cli::text::number_format::counted;
use crate::cli::text::terminal;
use crate::config::hint::Hint;
use crate::io::host_name::host_name;
use crate::io::signals::{self, Signals};
use crate::serve::app::App;
use crate::serve::http::server;

/// Port unless another one is named.
const PORT: u16 = 8765;

/// Arguments of `runner serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Directory whose runs and sweeps are shown, at any depth [default: the directories of the runs and of the sweeps]
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Port on this machine; if it is in use, the next free one
    #[arg(long, value_name = "N", default_value_t = PORT)]
    port: u16,
}

const EXAMPLES: &str = "\
Examples:
  runner serve
  runner serve sweeps/regularize_mnist
  ssh -L 8765:127.0.0.1:8765 HOST runner serve

Prints a URL to open in a browser. The pages show all runs and sweeps with
their curves while they train, and change nothing. Only this machine can reach
them, and only with the token in the URL; the `ssh` line that is printed lets
you open them from another machine. Ctrl-C ends the server.";

/// Serves the pages until a signal ends the program.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let roots = roots(args)?;
    let shown: Vec<String> = roots.iter().map(|root| root.display().to_string()).collect();
    let app = Arc::new(App::new(shown.join(", ")).context("failed to make a token")?);
    let listener =
        server::listen(args.port).with_context(|| format!("failed to listen on port {}", args.port)).context(Hint(
            "name another port with `--port N`; ports below 1024 need the rights of an administrator".to_owned(),
        ))?;
    let port = listener.local_addr().context("failed to read the port")?.port();
    let scanner = app.find(roots);
    signals::listen(&Arc::new(Signals::default()), terminal::say, None).context("failed to listen for signals")?;
    let scanned = Arc::clone(&app);
    let thread = std::thread::Builder::new().name("scan".to_owned()).spawn(move || scanned.scan(scanner));
    thread.context("failed to start a thread")?;
    if port != args.port && args.port != 0 {
        terminal::say(&format!("note: port {} is in use; using {port}", args.port));
    }
    let (runs, sweeps) = app.found();
    terminal::say(&match (runs, sweeps) {
        (0, 0) => format!("there are no runs in `{}` yet; the page shows them when they start", shown.join("`, `")),
        (runs, 0) => format!("showing {}", counted(runs, "run")),
        (0, sweeps) => format!("showing {}", counted(sweeps, "sweep")),
        (runs, sweeps) => format!("showing {} and {}", counted(runs, "run"), counted(sweeps, "sweep")),
    });
    terminal::say(&format!("from another machine: ssh -L {port}:127.0.0.1:{port} {}", host_name()));
    terminal::say("end with Ctrl-C; open in a browser:");
    terminal::out(&format!("http://127.0.0.1:{port}/?token={}", app.token()));
    let ended = server::run(listener, app).context("failed to serve the pages")?;
    match ended {}
}

/// Returns the directories to look in.
fn roots(args: &Args) -> anyhow::Result<Vec<PathBuf>> {
    let start = "start a run with `runner exp NAME`, or name a directory: `runner serve DIR`";
    let missing =
        |named: &str, hint: &str| Err(anyhow!("there is no directory `{named}`").context(Hint(hint.to_owned())));
    if let Some(directory) = &args.directory {
        return match directory.is_dir() {
            true => Ok(vec![directory.clone()]),
            false if directory.exists() => {
                let hint = Hint("name the directory that it is in".to_owned());
                Err(anyhow!("`{}` is not a directory", directory.display()).context(hint))
            }
            false => missing(&directory.display().to_string(), "name a directory with runs or sweeps at any depth"),
        };
    }
    let runs = PathBuf::from(user_defaults::out());
    let both = vec![runs.clone(), SweepsDir::default().to_path_buf()];
    if both.iter().any(|directory| directory.is_dir()) { Ok(both) } else { missing(&runs.display().to_string(), start) }
}
