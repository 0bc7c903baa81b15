//! Experiments on the data sets that are known by name.

use crate::data::inspect::problem::Problem;
use crate::experiment::template::file::assemble;
use crate::experiment::template::model::Task;

/// Returns the experiment on the data set `data`; `None` if there is no data set with this name.
pub fn of_data_set(name: &str, data: &str) -> Option<String> {
    const SPLIT: &str = "# 20 % test, 20 % of the rest validation, the same class shares in each part\n\
                         split = { test = 0.2, validation = 0.2, random_state = 42, stratify = true }";
    const STANDARD: &str = "# scales each column to mean 0 and standard deviation 1 (training rows);\n\
                            # \"min_max\" scales it to 0–1 instead\n\
                            scale = \"standard\"";
    const UNIT: &str = "# pixels to 0–1\nscale = \"unit\"";
    const GATE: &str = "# \"and\", \"or\" and \"nand\" are other gates: one linear layer learns them\ngate = \"xor\"";
    const UNSTRATIFIED: &str = "# 20 % test, 20 % of the rest validation\n\
                                split = { test = 0.2, validation = 0.2, random_state = 42 }";
    const MNIST: &str = "# for convolutions: flatten = false, and layers = [{ conv2d = { channels = 16, kernel = 5 } }, \"relu\",\n\
         # { max_pool2d = 2 }, \"flatten\", { linear = 10 }]\n\
         # MNIST has its own 10,000 test rows\n\
         split = { validation = 0.2, random_state = 42, stratify = true }";
    const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let classes = |rows: &[usize], names: &[&str]| Problem::Classes {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        rows: rows.to_vec(),
        stated: None,
    };
    let (settings, question, problem, training_rows): (&[&str], &str, Problem, usize) = match data {
        "logic" => (&[GATE], "Does the network learn the gate?", classes(&[2, 2], &["0", "1"]), 4),
        "digits" => (&[UNIT, SPLIT], "How well does a small network read digits?", classes(&[180; 10], &DIGITS), 1_150),
        "breast_cancer" => {
            let problem = classes(&[212, 357], &["malignant", "benign"]);
            (&[STANDARD, SPLIT], "Which tumors are malignant?", problem, 364)
        }
        "diabetes" => {
            let problem = Problem::Values { mean: 152.0, std: 77.0 };
            (&[STANDARD, UNSTRATIFIED], "How far does the disease progress?", problem, 283)
        }
        "penguins" => {
            let problem = classes(&[146, 68, 119], &["Adelie", "Chinstrap", "Gentoo"]);
            (&[STANDARD, SPLIT], "Which species is a penguin of?", problem, 213)
        }
        "mnist" => {
            let question = "How well does a network with two hidden layers read digits?";
            (&[UNIT, MNIST], question, classes(&[6_000; 10], &DIGITS), 48_000)
        }
        "creditcard" => {
            let problem = classes(&[284_315, 492], &["0", "1"]);
            (&[STANDARD, SPLIT], "Which transactions are frauds?", problem, 182_000)
        }
        _ => return None,
    };
    let task = Task { problem: &problem, training_rows, holds_out: data != "logic" };
    let data_part = format!("[data.{data}]\n{}\n", settings.join("\n"));
    Some(assemble(name, &format!("A network on {data}"), question, task, &data_part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::store::manifest::Manifest;
    use crate::experiment::plan::study::Study;
    use crate::experiment::spec::source_text::SourceText;

    #[test]
    fn every_named_data_set_has_an_experiment_that_is_valid() {
        for data in Manifest::names() {
            let text = of_data_set("new", data).unwrap_or_else(|| panic!("no experiment for `{data}`"));
            let source = SourceText { name: "new".into(), origin: "new.toml".into(), text, ..SourceText::default() };
            Study::new(&source, &[]).unwrap_or_else(|error| panic!("{data}: {error}\n{}", source.text));
            assert!(source.text.lines().all(|line| line.chars().count() <= 130), "{data}: {}", source.text);
        }
        assert!(of_data_set("new", "nonsense").is_none());
    }
}
