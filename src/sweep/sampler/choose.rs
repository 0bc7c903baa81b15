//! Chooses the configurations of a sweep.

use std::collections::HashSet;
use std::ops::ControlFlow;

use crate::experiment::spec::file_hints;
use crate::sweep::sampler::positions;
use crate::sweep::space::configurations::{Set, Space};
use crate::sweep::space::domain::Domain;
use crate::sweep::space::entry::{Entry, Values};
use crate::sweep::space::origin::{Origin, SpaceFault};
use crate::sweep::spec::Method;

/// Maximum number of configurations.
const MOST: usize = 65_536;

/// Maximum number of configurations that are chosen if the number is not given.
const MOST_BY_DEFAULT: usize = 100;

/// Maximum number of draws. After them, the configurations that are missing are taken in the order of the grid.
const MOST_DRAWS: u32 = 4 * positions::LENGTH;

/// Returns the configurations of a sweep, all of them different. `trials` is their number, for the grid the maximum.
///
/// # Errors
/// If the space has fewer configurations, or the grid more; if the grid has a continuous range.
pub fn configurations(space: &Space, method: Method, trials: Option<usize>, seed: u32) -> Result<Vec<Set>, SpaceFault> {
    match trials {
        Some(0) => return Err(SpaceFault::new("`trials` must be at least 1, found 0", "use `--trials 32`")),
        Some(trials @ 65_537..) => {
            let message = format!("`trials` must be at most {MOST}, found {trials}");
            return Err(SpaceFault::new(message, "start further sweeps with other values of `--search-seed`"));
        }
        _ => {}
    }
    if let Some(entry) = space.continuous() {
        let key = &entry.keys[0];
        if method == Method::Grid {
            let message = format!("`grid` needs single values, but the range of `{key}` is continuous");
            let values = match &entry.values {
                Values::One(Domain::Log { low, high }) => {
                    format!("write values: {}", list_of_values(entry, *low, *high))
                }
                Values::One(_) | Values::Rows(_) => {
                    "add a step, `float:0..0.5:0.1` or `step = 0.1`, write a list of values".to_owned()
                }
            };
            let trials = if trials.is_none() { " --trials 32" } else { "" };
            return Err(
                SpaceFault::new(message, format!("{values}, or use `--method sobol{trials}`")).at(&entry.origin)
            );
        }
        let trials = trials.ok_or_else(|| {
            let message = format!("`trials` is missing: the range of `{key}` is continuous");
            SpaceFault::new(message, "use `--trials 32`, or `trials = 32` in `[sweep]`")
        })?;
        return enough(drawn(space, method, trials, seed, &[])?, trials);
    }
    let most = trials.unwrap_or(if method == Method::Grid { MOST } else { MOST_BY_DEFAULT });
    let grid = first_of_grid(space, most + 1)?;
    let is_more = grid.len() > most;
    match (method, trials) {
        (Method::Grid, _) if is_more => {
            let message = format!("the grid has more than {most} configurations");
            Err(SpaceFault::new(message, "use a larger `--trials`, fewer values, or `--method sobol`"))
        }
        (Method::Grid, _) => Ok(grid),
        (_, None) if is_more => {
            let message = format!("`trials` is missing: the space has more than {most} configurations");
            Err(SpaceFault::new(message, "use `--trials 32`, or `--method grid` for all combinations"))
        }
        (_, None) => drawn(space, method, grid.len(), seed, &[]),
        (_, Some(trials)) if grid.len() < trials => {
            let count = grid.len();
            let message = format!("`trials` is {trials}, but the space has only {count} different configurations");
            Err(SpaceFault::new(message, format!("use `--trials {count}` for all of them, or add values to the space")))
        }
        (_, Some(trials)) => enough(drawn(space, method, trials, seed, &[])?, trials),
    }
}

/// Returns the powers of ten in a logarithmic range with its ends, as a list in the notation in which the range was written;
/// of a long range the ends and two values between them.
fn list_of_values(entry: &Entry, low: f64, high: f64) -> String {
    const MOST: usize = 8;
    let powers = (low.log10().ceil() as i32..=high.log10().floor() as i32).map(|exponent| format!("1e{exponent}"));
    let powers = powers.filter_map(|power| power.parse::<f64>().ok());
    let mut values: Vec<f64> = std::iter::once(low).chain(powers).chain([high]).collect();
    values.dedup();
    if !(3..=MOST).contains(&values.len()) {
        let at = |third: f64| low * (high / low).powf(third / 3.0);
        values = [low, at(1.0), at(2.0), high].map(|value| format!("{value:.1e}").parse().unwrap_or(value)).to_vec();
    }
    let values: Vec<String> = values.iter().map(|value| file_hints::toml(&(*value).into())).collect();
    match &entry.origin {
        Origin::Option(text) => {
            let key = text.split('=').next().unwrap_or_default();
            format!("`--space {key}={}`", values.join(","))
        }
        Origin::File(_) | Origin::Record => format!("`\"{}\" = [{}]`", entry.keys[0], values.join(", ")),
    }
}

/// Returns further configurations of a sweep with these ones, or all that are missing if no number is given: those that follow
/// in a longer list of the same space, of a wider space the first ones that are missing.
///
/// # Errors
/// If the space has fewer further configurations, or none; if a grid has a continuous range.
pub fn further(
    space: &Space,
    method: Method,
    count: Option<usize>,
    seed: u32,
    existing: &[Set],
) -> Result<Vec<Set>, SpaceFault> {
    let most = MOST.saturating_sub(existing.len());
    if let Some(count) = count.filter(|count| *count > most) {
        let message =
            format!("a sweep has at most {MOST} configurations: {count} are too many to add to {}", existing.len());
        return Err(SpaceFault::new(message, "start further sweeps with other values of `--search-seed`"));
    }
    let is_continuous = space.continuous().is_some();
    let found = match (method, count) {
        (Method::Grid, None) if !is_continuous => {
            let known: HashSet<String> = existing.iter().map(identity).collect();
            let mut grid = first_of_grid(space, MOST + 1)?;
            grid.retain(|set| !known.contains(&identity(set)));
            if grid.len() > most {
                let message = format!("the grid has more than {MOST} configurations");
                return Err(SpaceFault::new(message, "add fewer values"));
            }
            grid
        }
        (Method::Grid, _) => {
            let message = "`--trials` cannot extend a grid, which has all configurations of its space";
            return Err(SpaceFault::new(message, "add values with `--space`: all combinations with them are trained"));
        }
        (_, None) if is_continuous => {
            return Err(SpaceFault::new("`--trials` is missing: the space is continuous", "use `--trials +8`"));
        }
        (_, None) => {
            let all = first_of_grid(space, existing.len() + MOST_BY_DEFAULT + 1)?.len();
            if all > existing.len() + MOST_BY_DEFAULT {
                let message =
                    format!("`--trials` is missing: the space has more than {MOST_BY_DEFAULT} further configurations");
                return Err(SpaceFault::new(message, "use `--trials +8`"));
            }
            drawn(space, method, all.saturating_sub(existing.len()), seed, existing)?
        }
        (_, Some(count)) => {
            let found = drawn(space, method, count, seed, existing)?;
            if found.len() < count && !found.is_empty() {
                let message = format!("only {} further configurations were found in the space", found.len());
                let hint = format!("use `--trials +{}`, or add values with `--space`", found.len());
                return Err(SpaceFault::new(message, hint));
            }
            found
        }
    };
    match found.is_empty() {
        true => {
            let message = "the sweep has all configurations of its space";
            Err(SpaceFault::new(message, "add values with `--space`, or seeds with `--seeds`"))
        }
        false => Ok(found),
    }
}

/// Returns the first combinations of the grid, which are all different.
fn first_of_grid(space: &Space, most: usize) -> Result<Vec<Set>, SpaceFault> {
    let (mut grid, mut seen) = (Vec::new(), HashSet::new());
    space.for_each(&mut |set| {
        if seen.insert(identity(set)) {
            grid.push(set.clone());
        }
        if grid.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(grid)
}

/// Returns at most `count` configurations at the positions of a method, without those that were drawn before or exist.
pub(super) fn drawn(
    space: &Space,
    method: Method,
    count: usize,
    seed: u32,
    existing: &[Set],
) -> Result<Vec<Set>, SpaceFault> {
    let mut chosen = Vec::with_capacity(count);
    let mut seen: HashSet<String> = existing.iter().map(identity).collect();
    let mut add = |set: &Set| {
        if chosen.len() < count && seen.insert(identity(set)) {
            chosen.push(set.clone());
        }
        if chosen.len() < count { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    // the first draws have given the existing configurations, or of a narrower space others at the same positions
    let first = u32::try_from(existing.len()).unwrap_or(MOST_DRAWS);
    for draw in first..MOST_DRAWS {
        let positions = match method {
            Method::Random => positions::random(seed, draw, space.axes()),
            Method::Sobol | Method::Grid | Method::Tpe | Method::Gp => positions::sobol(seed, draw, space.axes()),
        };
        if add(&space.at(&positions)?).is_break() {
            break;
        }
    }
    if space.continuous().is_none() {
        space.for_each(&mut add)?;
    }
    Ok(chosen)
}

/// Checks that `count` configurations were found.
fn enough(chosen: Vec<Set>, count: usize) -> Result<Vec<Set>, SpaceFault> {
    match chosen.len() {
        found if found < count => {
            let message = format!("`trials` is {count}, but only {found} different configurations were found");
            Err(SpaceFault::new(message, format!("use `--trials {found}`, or add values to the space")))
        }
        _ => Ok(chosen),
    }
}

/// Returns a text that only equal configurations share.
pub(super) fn identity(set: &Set) -> String {
    serde_json::to_string(set).expect("values are JSON")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::experiment::spec::overrides::settings_tree;
    use crate::experiment::spec::source_text::SourceText;
    use crate::sweep::space::build;

    /// The space of a `[sweep]` table in an experiment with two hidden layers.
    fn space(sweep: &str, options: &[&str]) -> Result<Space, SpaceFault> {
        let text = format!(
            "title = \"t\"\n[data.digits]\n[network]\nlayers = [{{ linear = 16 }}, \"relu\", {{ dropout = 0.5 }}, {{ \
             linear = 10 }}]\n[train]\nepochs = 1\nbatch = 8\nloss = \"cross_entropy\"\noptimizer = \"adam\"\n{sweep}"
        );
        let source = SourceText { origin: "t.toml".to_owned(), text, ..SourceText::default() };
        let spec = source.parse().unwrap();
        let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        build::space(&spec.sweep.clone().unwrap_or_default(), &options, &settings_tree(&spec))
    }

    fn chosen(space: &Space, method: Method, trials: usize, seed: u32) -> Vec<Set> {
        configurations(space, method, Some(trials), seed).unwrap()
    }

    fn numbers(sets: &[Set], key: &str) -> Vec<f64> {
        sets.iter().map(|set| set[key].as_f64().unwrap()).collect()
    }

    const LR: &str = "train.optimizer.adam.lr";

    #[test]
    fn a_longer_list_begins_with_a_shorter_one_and_another_seed_gives_others() {
        let space = space("", &["lr=log:1e-4..1e-1", "train.batch=8,16,32"]).unwrap();
        for method in [Method::Random, Method::Sobol] {
            let long = chosen(&space, method, 300, 5);
            assert_eq!(long[..40], chosen(&space, method, 40, 5)[..]);
            assert_ne!(long[..40], chosen(&space, method, 40, 6)[..]);
            let lrs = numbers(&long, LR);
            assert!(lrs.iter().all(|lr| (1e-4..=1e-1).contains(lr)));
            // a third of the values for each factor of ten
            let below = |limit: f64| lrs.iter().filter(|lr| **lr < limit).count();
            assert!((80..=120).contains(&below(1e-3)) && (170..=230).contains(&below(1e-2)), "{method:?}");
            let large = numbers(&long, "train.batch").into_iter().filter(|batch| *batch == 32.0).count();
            assert!((75..=125).contains(&large), "{method:?}: {large}");
        }
    }

    #[test]
    fn further_configurations_are_those_of_a_longer_list_and_of_a_wider_space_the_missing_ones() {
        let lr = "lr=log:1e-4..1e-1";
        let own = space("", &[lr, "train.batch=8,16"]).unwrap();
        for method in [Method::Random, Method::Sobol] {
            let (short, long) = (chosen(&own, method, 10, 5), chosen(&own, method, 24, 5));
            let mut further = further(&own, method, Some(6), 5, &short).unwrap();
            let all = [short.clone(), further.clone()].concat();
            further.extend(super::further(&own, method, Some(8), 5, &all).unwrap());
            assert_eq!(further, long[10..], "in two steps");
            let wider = space("", &[lr, "train.batch=8,16,32"]).unwrap();
            let wider = super::further(&wider, method, Some(30), 5, &short).unwrap();
            assert!(wider.iter().all(|set| !short.contains(set)));
            assert!(wider.iter().any(|set| set["train.batch"] == 32));
        }
        let small = space("", &["train.batch=8,16", "train.epochs=1,2"]).unwrap();
        let wider = space("", &["train.batch=8,16,32", "train.epochs=1,2"]).unwrap();
        let grid = configurations(&small, Method::Grid, None, 0).unwrap();
        let missing = json!([{ "train.batch": 32, "train.epochs": 1 }, { "train.batch": 32, "train.epochs": 2 }]);
        assert_eq!(json!(further(&wider, Method::Grid, None, 0, &grid).unwrap()), missing);
        assert_eq!(further(&wider, Method::Sobol, None, 0, &grid).unwrap().len(), 2);
        let fault = |space: &Space, method, count| further(space, method, count, 0, &grid).unwrap_err().message;
        assert!(fault(&small, Method::Grid, None).contains("has all configurations"));
        assert!(fault(&small, Method::Random, Some(1)).contains("has all configurations"));
        assert!(fault(&wider, Method::Random, Some(3)).contains("only 2 further configurations"));
        assert!(fault(&wider, Method::Grid, Some(1)).contains("cannot extend a grid"));
        assert!(fault(&own, Method::Sobol, None).contains("`--trials` is missing: the space is continuous"));
        assert!(fault(&own, Method::Sobol, Some(65_533)).contains("at most 65536 configurations"));
    }

    #[test]
    fn all_configurations_differ_and_a_finite_space_is_used_up() {
        let space = space("", &["units=int:1..20:log", "dropout.p=float:0..0.3:0.1", "train.batch=8,16"]);
        let fault = space.unwrap_err();
        assert!(fault.message.contains("`units` is the name of 2 settings"), "{fault:?}");
        let space =
            self::space("", &["network.layers.0.linear.units=int:1..20:log", "p=float:0..0.3:0.1", "train.batch=8,16"]);
        let space = space.unwrap();
        for method in [Method::Random, Method::Sobol] {
            let all = chosen(&space, method, 160, 0);
            let distinct: HashSet<String> = all.iter().map(identity).collect();
            assert_eq!(distinct.len(), 160);
            let fault = configurations(&space, method, Some(161), 0).unwrap_err();
            assert!(fault.message.contains("only 160 different configurations"), "{fault:?}");
        }
        let grid = configurations(&space, Method::Grid, None, 0).unwrap();
        assert_eq!(grid.len(), 160);
        assert_eq!(
            json!(grid[0]),
            json!({ "network.layers.0.linear.units": 1, "network.layers.2.dropout.p": 0.0, "train.batch": 8 })
        );
        assert_eq!(
            json!(grid[3]["network.layers.2.dropout.p"]),
            json!(0.1),
            "a multiple of the step, without rounding errors"
        );
        assert!(configurations(&space, Method::Grid, Some(159), 0).unwrap_err().message.contains("more than 159"));
        assert!(configurations(&space, Method::Sobol, None, 0).unwrap_err().message.contains("`trials` is missing"));
    }

    #[test]
    fn sobol_positions_become_the_values_of_the_axes() {
        let space = space("", &["lr=log:1e-4..1e-1", "p=float:0..0.5", "train.batch=int:1..64"]).unwrap();
        for (draw, set) in chosen(&space, Method::Sobol, 100, 3).iter().enumerate() {
            let position = |axis: u32| f64::from(sobol_burley::sample(draw as u32, axis, 3));
            let lr = 1e-4 * 1000_f64.powf(position(0));
            assert!((set[LR].as_f64().unwrap() / lr - 1.0).abs() < 1e-5);
            assert!((set["network.layers.2.dropout.p"].as_f64().unwrap() - 0.5 * position(1)).abs() < 1e-5);
            assert_eq!(set["train.batch"], json!(1 + (64.0 * position(2)) as i64));
        }
    }

    #[test]
    fn a_setting_below_a_choice_or_with_a_condition_is_varied_only_where_it_exists() {
        let table = r#"
            [sweep.space]
            "train.optimizer.adam.lr" = [0.1, 0.2]
            "train.optimizer" = ["adam", { sgd = { lr = 0.1 } }, "rmsprop"]
            [[sweep.when]]
            if = { "train.optimizer" = "sgd" }
            space = { "train.optimizer.sgd.momentum" = [0.0, 0.9, 0.99] }
            [[sweep.when]]
            if = { "train.optimizer" = ["sgd", "adam"], "train.optimizer.adam.lr" = 0.2 }
            space = { "train.batch" = [1, 2, 3] }
        "#;
        let space = space(table, &[]).unwrap();
        let grid = configurations(&space, Method::Grid, None, 0).unwrap();
        let shown: Vec<Value> = grid.iter().map(|set| json!(set.values().collect::<Vec<_>>())).collect();
        let sgd = json!({ "sgd": { "lr": 0.1 } });
        let expected = [
            json!(["adam", 0.1]),
            json!(["adam", 0.2, 1]),
            json!(["adam", 0.2, 2]),
            json!(["adam", 0.2, 3]),
            json!([sgd, 0.0]),
            json!([sgd, 0.9]),
            json!([sgd, 0.99]),
            json!(["rmsprop"]),
        ];
        assert_eq!(shown, expected);
        assert_eq!(grid[1].keys().next().unwrap(), "train.optimizer", "a choice precedes its settings");
        let drawn = chosen(&space, Method::Sobol, 8, 0);
        assert!(grid.iter().all(|set| drawn.contains(set)));
    }

    #[test]
    fn zipped_values_stay_together_and_copies_follow_their_source() {
        let table = r#"
            [sweep.space]
            "network.layers.3.linear.units" = "= network.layers.0.linear.units / 2"
            "network.layers.0.linear.units" = { int = [16, 64], step = 16 }
            "network.layers.2.dropout.p" = "= train.optimizer.adam.lr * 10"
            [[sweep.zip]]
            "train.loss" = ["mse", "huber"]
            "train.epochs" = [50, 100]
        "#;
        let grid = configurations(&space(table, &[]).unwrap(), Method::Grid, None, 0).unwrap();
        assert_eq!(grid.len(), 8);
        for set in &grid {
            assert_eq!(
                set["network.layers.3.linear.units"].as_i64().unwrap() * 2,
                set["network.layers.0.linear.units"]
            );
            assert_eq!(set["train.epochs"], if set["train.loss"] == "mse" { 50 } else { 100 });
            assert_eq!(set["network.layers.2.dropout.p"], json!(0.01));
        }
    }

    #[test]
    fn an_invalid_space_is_an_error_that_says_what_to_change() {
        let fault = |sweep: &str, options: &[&str]| {
            let fault = space(sweep, options).unwrap_err();
            format!("{} | {}", fault.message, fault.hint.unwrap_or_default())
        };
        let when = |condition: &str| {
            format!(
                "[sweep.space]\n\"train.batch\" = [8, 16]\n[[sweep.when]]\nif = {{ {condition} }}\nspace = {{ \"train.epochs\" = [1, 2] }}\n"
            )
        };
        for (sweep, options, expected) in [
            ("", &[][..], "the space is empty: no setting varies | add `--space KEY=VALUES`"),
            ("", &["train.batch"], "`=` is missing | write KEY=VALUES"),
            ("", &["train.bach=1,2"], "there is no `bach` in `train` | did you mean `batch`?"),
            ("", &["zzz=1,2"], "there is no setting `zzz`"),
            ("", &["title=a,b"], "`title` must be the same for all configurations | vary only keys that begin with"),
            ("", &["seeds=0,1"], "`seeds` cannot vary"),
            ("", &["train.batch=1,2", "batch_size=3,4"], "`train.batch` is in the space twice"),
            (
                "[sweep.space]\nlr = [0.1]\n",
                &[],
                "`lr` is not the full key of a setting | write `\"train.optimizer.adam.lr\"`",
            ),
            (
                "[sweep.space]\n\"train.batch\" = [1]\n\"train.batch_size\" = [2]\n",
                &[],
                "`train.batch` is in the space twice",
            ),
            ("[sweep.space]\n\"train.optimizer.sgd.lr\" = [1]\n", &[], "there is no `sgd` in `train.optimizer`"),
            (
                "[[sweep.zip]]\n\"train.batch\" = [1, 2]\n\"train.epochs\" = [1]\n",
                &[],
                "the lists of `[[sweep.zip]]` must have the same length: `train.batch` has 2, `train.epochs` has 1",
            ),
            ("[[sweep.zip]]\n\"train.batch\" = []\n", &[], "the list of `train.batch` is empty"),
            ("[[sweep.zip]]\n", &[], "`[[sweep.zip]]` is empty"),
            (
                "[sweep.space]\n\"train.batch\" = [1, 2]\n",
                &["batch=3,4", "batch_size=5,6"],
                "`train.batch` is in the space twice",
            ),
            ("[[sweep.zip]]\n\"train.batch\" = [1, 2]\n", &["train.batch=3,4"], "`train.batch` is in `[[sweep.zip]]`"),
            (
                &when("\"train.batch\" = 32"),
                &[],
                "the condition is never met: `train.batch` is never `32` | use `8` or `16`",
            ),
            (&when("\"train.loss\" = \"mse\""), &[], "the condition on `train.loss` is constant"),
            (&when("\"train.epochs\" = 1"), &[], "the condition on `train.epochs` is about the setting itself"),
            (&when(""), &[], "`[[sweep.when]]` has no condition"),
            (
                "[sweep.space]\n\"train.batch\" = \"= train.epochs\"\n\"train.epochs\" = \"= train.batch\"\n\"network.init\" = [\"zeros\", \"he_normal\"]\n",
                &[],
                "conditions or copied values depend on each other in a circle",
            ),
        ] {
            let found = fault(sweep, options);
            assert!(found.starts_with(expected), "{sweep} {options:?}: {found}");
        }
    }

    #[test]
    fn entries_of_the_command_line_replace_those_of_the_file() {
        let table = "[sweep.space]\n\"train.batch\" = [1, 2, 3]\n\"train.epochs\" = [1, 2]\n";
        let grid = configurations(&space(table, &["batch=7,8", "lr=0.1,0.2"]).unwrap(), Method::Grid, None, 0).unwrap();
        assert_eq!(grid.len(), 8);
        assert_eq!(json!(grid[0]), json!({ "train.batch": 7, "train.epochs": 1, LR: 0.1 }));
    }
}
