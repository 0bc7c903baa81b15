//! The meaning of table fields: categories are compared as text, unsuitable text columns are recognized, and every
//! command reads a table in the same way.

use serde_json::{Value, json};

use crate::support::{TestDir, assert_says, stderr, stdout};

/// An experiment on `table.csv` with these data settings.
fn experiment(data: &str, outputs: usize, loss: &str) -> String {
    format!(
        "title = \"A table\"\n[data.csv]\npath = \"table.csv\"\n{data}\n[network]\nlayers = [{{ linear = {outputs} }}]\n\
         [train]\nepochs = 2\nbatch = \"full\"\nloss = \"{loss}\"\noptimizer = {{ sgd = {{ lr = 0.01 }} }}\n"
    )
}

const CLASSIFY: &str = "cross_entropy";

fn new_dir(table: &str, data: &str, outputs: usize, loss: &str) -> TestDir {
    let dir = TestDir::new();
    dir.write("table.csv", table);
    dir.write("idea.toml", experiment(data, outputs, loss));
    dir
}

/// Asserts that `exp` rejects this table and these settings with these words.
#[track_caller]
fn assert_rejected(table: &str, data: &str, words: &[&str]) {
    let dir = new_dir(table, data, 2, CLASSIFY);
    let message = dir.error_message(&["exp", "idea.toml"]);
    assert_says(&message.replace("\n      ", " "), words);
    assert!(message.contains("hint: "), "{message}");
    assert_eq!(dir.error_message(&["show", "idea.toml"]), message, "`show` reads the table as `exp` does");
}

/// Number of features of the network, and the classes in the history.
#[track_caller]
fn train(table: &str, data: &str, outputs: usize, loss: &str) -> (u64, Value) {
    let history = new_dir(table, data, outputs, loss).history(&["idea.toml"]);
    let parameters = history["network"]["parameters"].as_u64().unwrap();
    ((parameters - outputs as u64) / outputs as u64, history["data"]["classes"].clone())
}

fn describe(dir: &TestDir, more: &[&str]) -> Value {
    let run = dir.run(&[&["data", "describe", "table.csv", "--json"], more].concat()).code(0);
    serde_json::from_str::<Value>(&stdout(&run)).unwrap()["parts"][0].clone()
}

#[test]
fn categories_with_equal_numbers_stay_distinct() {
    let data = "target = \"y\"\nencode = \"one_hot\"\ncategories = [\"code\"]";
    for codes in [
        ["20000000000000000001", "20000000000000000002", "20000000000000000003"],
        ["+491711", "491711", "0491711"],
        ["1.10", "1.1", "1.100"],
        ["007", "07", "7"],
        ["1E2", "1e2", "100"],
    ] {
        let rows: String = (0..12).map(|row| format!("{},{row}.5,{}\n", codes[row % 3], ["a", "b"][row % 2])).collect();
        let table = format!("code,x,y\n{rows}");
        assert_eq!(train(&table, data, 2, CLASSIFY).0, 4, "{codes:?}");
        let part = describe(&new_dir(&table, data, 2, CLASSIFY), &[]);
        assert_eq!(part["columns"][0]["distinct"], 3, "{codes:?}");
    }
}

#[test]
fn classes_with_equal_numbers_stay_distinct_in_every_command() {
    let (low, high) = ("90071992547409921", "90071992547409922");
    let rows: String = (0..12).map(|row| format!("{}.5,{}\n", row % 2, [low, high, "01", "1"][row % 4])).collect();
    let dir = new_dir(&format!("x,y\n{rows}"), "target = \"y\"\ntask = \"classes\"", 4, CLASSIFY);
    let history = dir.history(&["idea.toml"]);
    assert_eq!(history["data"]["classes"], json!(["01", "1", low, high]));
    let part = describe(&dir, &["--target", "y"]);
    let counted: Vec<_> = part["classes"].as_array().unwrap().iter().map(|class| &class["class"]).collect();
    assert_eq!(counted, ["01", "1", low, high]);
    assert_eq!(part["duplicate_rows"], 8, "rows that differ only in their class are not duplicates");
    dir.write("given.csv", format!("x,y\n0.5,{high}\n1.5,01\n"));
    let evaluated = stdout(&dir.run(&["eval", "idea", "--data", "given.csv", "--json", "--device", "cpu"]).code(0));
    assert!(evaluated.contains("loss"), "{evaluated}");
    let predicted = stdout(&dir.run(&["predict", "idea", "--csv", "given.csv", "--format", "csv"]).code(0));
    assert!(predicted.contains(high), "{predicted}");
    dir.write("given.csv", "x,y\n0.5,001\n");
    assert_says(
        &dir.error_message(&["eval", "idea", "--data", "given.csv"]),
        &["has `001` in row 1 (line 2), column `y`"],
    );
    dir.write("given.csv", "x,y\n0.5,1.0\n");
    dir.run(&["eval", "idea", "--data", "given.csv", "--device", "cpu"]).code(0);
}

#[test]
fn texts_treated_as_missing_are_quoted_and_can_be_declared_as_values() {
    let table = "code,x,y\nNA,1,a\nFR,2,b\nNA,3,b\nnull,4,a\nDE,5,a\n";
    let data = "target = \"y\"\nencode = \"one_hot\"";
    let words = ["row 1 (line 2), column `code`, has `NA`, which counts as missing", "`missing_values = [\"\"]`"];
    assert_rejected(table, data, &words);
    let stated = format!("{data}\nmissing_values = [\"\"]");
    assert_eq!(train(table, &stated, 2, CLASSIFY).0, 5);
    assert_eq!(train(table, &format!("{data}\nmissing_values = [\"FR\"]\nmissing = \"drop\""), 2, CLASSIFY).0, 5 - 1);
    let part = describe(&new_dir(table, data, 2, CLASSIFY), &["--missing-values", ",FR"]);
    assert_eq!((&part["columns"][0]["missing"], &part["columns"][0]["missing_as"]), (&json!(1), &json!("FR")));
    // numbers that mark missing values
    let table = "x,z,y\n1,0,a\n-999,1,b\n-999.0,2,b\n4,3,a\n";
    assert_rejected(
        table,
        "target = \"y\"\nmissing_values = [\"\", -999]",
        &["row 2 (line 3), column `x`, has `-999`, which counts as missing"],
    );
    train(table, "target = \"y\"\nmissing_values = [-999]\nmissing = \"mean\"", 2, CLASSIFY);
}

#[test]
fn a_class_that_looks_missing_is_used_if_declared_and_else_reported() {
    let rows: String = (0..12).map(|row| format!("{row}.5,{}\n", ["None", "Low", "High"][row % 3])).collect();
    let table = format!("x,risk\n{rows}");
    let target = "target = \"risk\"";
    let words =
        ["target `risk`, has `None`, which counts as missing", "write `classes = [\"None\", \"High\", \"Low\"]`"];
    assert_rejected(&table, target, &words);
    let classes = train(&table, &format!("{target}\nclasses = [\"Low\", \"None\", \"High\"]"), 3, CLASSIFY).1;
    assert_eq!(classes, json!(["Low", "None", "High"]));
    let dir = new_dir(&table, &format!("{target}\nmissing = \"drop\""), 2, CLASSIFY);
    let message = stderr(&dir.run(&["exp", "idea.toml", "--device", "cpu"]).code(0)).replace("\n  ", " ");
    assert_says(&message, &["drops 4 of 12 rows", "has `None`", "classes = ["]);
}

#[test]
fn a_new_table_is_read_like_the_table_of_the_run() {
    let rows: String = (1..=12)
        .map(|row| format!("{row}.000,5;{:02}/03/2024;{};{}\n", row + 10, ["None", "UK"][row % 2], ["a", "b"][row % 2]))
        .collect();
    let data = "target = \"y\"\nseparator = \";\"\ndecimal = \",\"\nthousands = \".\"\ndates = [\"day\"]\n\
                missing_values = [\"-\"]\nna_values = [\"?\"]\nmissing = \"drop\"\nencode = \"one_hot\"";
    let dir = new_dir(&format!("x;day;land;y\n{rows}"), data, 2, CLASSIFY);
    assert_eq!(dir.history(&["idea.toml"])["network"]["parameters"], 2 * 4 + 2);
    // 04/03 would be ambiguous if the run's own table had not the day first
    dir.write("given.csv", "land;x;day\nNone;2.500;04/03/2024\n?;1;05/03/2024\nUK;1,5;06/03/2024\n");
    let run = dir.run(&["predict", "idea", "--csv", "given.csv", "--format", "csv"]).code(0);
    assert_eq!(stdout(&run).lines().count(), 1 + 2, "{}", stdout(&run));
    dir.write("given.csv", "land;x;day\nUK;2.500;13/13/2024\n");
    let message = dir.error_message(&["predict", "idea", "--csv", "given.csv"]);
    assert_says(&message, &["has `13/13/2024` in row 1 (line 2), column `day`", "there is no month 13"]);
    dir.write("given.csv", "land;x;day\nUK;1.5;13/03/2024\n");
    let message = dir.error_message(&["predict", "idea", "--csv", "given.csv"]);
    assert_says(&message, &["has `1.5` in row 1 (line 2), column `x`, where a number was expected"]);
}

#[test]
fn dates_are_recognized_and_converted_on_request() {
    let table = |days: [&str; 3]| format!("day,y\n{},1.5\n{},2.5\n{},0.5\n", days[0], days[1], days[2]);
    let iso = table(["2024-01-31", "2024-02-01T12:00:00Z", "2023-12-31 06:00"]);
    let data = "target = \"y\"\nencode = \"one_hot\"";
    assert_rejected(
        &iso,
        data,
        &["column `day` has dates, such as `2024-01-31` in row 1 (line 2)", "`dates = [\"day\"]`"],
    );
    let asked = format!("{data}\ndates = [\"day\"]");
    assert_eq!(train(&iso, &asked, 1, "mse").0, 1);
    let part = describe(&new_dir(&iso, &asked, 1, "mse"), &["--dates", "day"]);
    assert_eq!((&part["columns"][0]["min"], &part["columns"][0]["max"]), (&json!(19722.25), &json!(19754.5)));
    let part = describe(&new_dir(&iso, &asked, 1, "mse"), &[]);
    assert!(part["columns"][0]["look_out"].as_str().unwrap().contains("dates = [\"day\"]"), "{part}");
    assert_eq!(train(&table(["31/12/2023", "01/02/2024", "02/03/2024"]), &asked, 1, "mse").0, 1);
    let unclear = table(["01/12/2023", "01/02/2024", "02/03/2024"]);
    let ambiguous = "has ambiguous dates in column `day`: in `01/12/2023`, row 1 (line 2), and all others";
    assert_rejected(&unclear, &asked, &[ambiguous, "`dates = { day = \"%d/%m/%Y\" }`"]);
    assert_rejected(&unclear, data, &["`dates = { day = \"%d/%m/%Y\" }` (day first)", "`drop = [\"day\"]`"]);
    assert_eq!(train(&unclear, &format!("{data}\ndates = {{ day = \"%d/%m/%Y\" }}"), 1, "mse").0, 1);
    let none = table(["2024-01-01", "2024-02-30", "2024-03-01"]);
    assert_rejected(&none, &asked, &["`2024-02-30` in row 2 (line 3), column `day`", "February 2024 has 29 days"]);
    assert_rejected(&iso, &format!("{data}\ndates = {{ day = \"%Q\" }}"), &["`data.csv.dates.day` has `%Q`"]);
    assert_rejected(
        &iso,
        &format!("{data}\ndates = [\"dya\"]"),
        &["`data.csv.dates` names a column", "did you mean `day`?"],
    );
}

#[test]
fn numbers_with_symbols_are_rejected_with_the_setting_to_add() {
    let data = "target = \"y\"\ntask = \"values\"\nseparator = \";\"\nencode = \"one_hot\"";
    for (cells, words, line) in [
        (["1,5", "2,25", "10"], "`1,5` in row 1 (line 2)", "decimal = \",\""),
        (["1.299,99", "999,5", "1.000"], "`1.299,99` in row 1", "decimal = \",\"\nthousands = \".\""),
        (["999.5", "1,299.99", "1,000"], "`1,299.99` in row 2", "thousands = \",\""),
        (["1 234,5", "2,5", "3"], "`1 234,5` in row 1", "decimal = \",\"\nthousands = \" \""),
    ] {
        for column in 0..2 {
            // as a feature and as the target
            let row = |(number, cell): (usize, &&str)| match column {
                0 => format!("{cell};{number}.0\n").replace(".0", ""),
                _ => format!("{number};{cell}\n"),
            };
            let table = format!("x;y\n{}", cells.iter().enumerate().map(row).collect::<String>());
            assert_rejected(&table, data, &[words, &line.replace("\n", "` and `")]);
            assert_eq!(train(&table, &format!("{data}\n{line}"), 1, "mse").0, 1, "{table}");
        }
    }
    for (cells, words) in [
        (["45%", "50 %", "7.5%"], ["has percentages, such as `45%` in row 1 (line 2)", "remove `%`"]),
        (["$1,299.99", "$5", "-$7.50"], ["has amounts of money, such as `$1,299.99` in row 1 (line 2)", "remove `$`"]),
        (["4,5 €", "5 €", "7 €"], ["has amounts of money, such as `4,5 €` in row 1 (line 2)", "remove `€`"]),
        (["1", "2", "?"], ["is numeric, but has `?` in row 3 (line 4)", "na_values = [\"?\"]"]),
        (["1", "-", "3"], ["is numeric, but has `-` in row 2 (line 3)", "na_values = [\"-\"]"]),
        (["1", "Infinity", "3"], ["is numeric, but has `Infinity` in row 2 (line 3)", "na_values"]),
        (["1", "2", "1e400"], ["is numeric, but has `1e400` in row 3 (line 4)", "na_values"]),
    ] {
        let rows: String = cells.iter().enumerate().map(|(number, cell)| format!("{cell};{number}\n")).collect();
        assert_rejected(&format!("x;y\n{rows}"), data, &words);
        let rows: String = cells.iter().enumerate().map(|(number, cell)| format!("{number};{cell}\n")).collect();
        assert_rejected(&format!("x;y\n{rows}"), &data.replace("task = \"values\"\n", ""), &words);
    }
    assert_rejected("x;y\n1;2\n2;3\n", &format!("{data}\ndecimal = \";\""), &["`data.csv.decimal` must be `.` or `,`"]);
}

#[test]
fn text_columns_are_rejected_unless_declared_as_categories() {
    let data = "target = \"y\"\nencode = \"one_hot\"";
    let table = |rows: usize, cell: &dyn Fn(usize) -> String| {
        let rows = (0..rows).map(|row| format!("{},{row}.5,{}\n", cell(row), ["a", "b"][row % 2]));
        format!("c,x,y\n{}", rows.collect::<String>())
    };
    let ids = table(20, &|row| format!("customer-{row}"));
    let words = ["has 20 distinct texts in 20 rows", "`customer-0` in row 1", "drop = [\"c\"]", "categories = [\"c\"]"];
    assert_rejected(&ids, data, &words);
    assert_rejected(
        &ids.replace("c,x,y", "y,x,c"),
        "target = \"y\"\nencode = \"one_hot\"",
        &["`data.csv.target` cannot be classes"],
    );
    let sixty_towns = table(600, &|row| format!("town{:02}", row % 60));
    assert_rejected(
        &sixty_towns,
        data,
        &["`data.csv.encode` is `one_hot`", "column `c` has 60 categories", "categories = [\"c\"]"],
    );
    let sign = table(20, &|row| ["Rome", "Oslo", "?", "Rome"][row % 4].to_owned());
    assert_rejected(&sign, data, &["`?` in row 3 (line 4)", "na_values = [\"?\"]", "categories = [\"c\"]"]);
    for (table, features) in [(&ids, 21), (&sixty_towns, 61), (&sign, 4)] {
        assert_eq!(train(table, &format!("{data}\ncategories = [\"c\"]"), 2, CLASSIFY).0, features);
    }
    let message = |data: &str| {
        let dir = new_dir(&table(200, &|row| format!("town{:02}", row % 20)), data, 2, CLASSIFY);
        stderr(&dir.run(&["exp", "idea.toml", "--device", "cpu"]).code(0)).replace("\n  ", " ")
    };
    assert_says(&message(data), &["`c` becomes 20 features for 200 rows", "categories = [\"c\"]"]);
    assert!(!message(&format!("{data}\ncategories = [\"c\"]")).contains("becomes"));
    let flags = table(20, &|row| ["true", "false"][row % 2].to_owned());
    assert_eq!(train(&flags, data, 2, CLASSIFY).0, 3);
}

#[test]
fn a_target_with_two_numbers_must_be_declared_as_classes_or_values() {
    let table = "x,y\n1.5,0\n2.5,1\n3.5,1\n";
    let words =
        ["`data.csv.target` has two distinct numbers, `0` and `1`, in column `y`", "write `task = \"classes\"`"];
    assert_rejected(table, "target = \"y\"", &words);
    assert_eq!(train(table, "target = \"y\"\ntask = \"classes\"", 2, CLASSIFY).1, json!(["0", "1"]));
    assert_eq!(train(table, "target = \"y\"\ntask = \"values\"", 1, "mse").1, json!(["y"]));
    assert_rejected("x,y,z\n1,0,1\n2,1,0\n3,1,1\n", "target = [\"y\", \"z\"]", &["write `task = \"labels\"`"]);
}

#[test]
fn numbers_outside_the_range_of_f32_are_rejected_with_their_position() {
    let tree = "title = \"A tree\"\n[data.csv]\npath = \"table.csv\"\ntarget = \"y\"\n[tree]\nmax_depth = 2\n";
    for (cell, shown) in [("-3.5e38", "-3.5e38"), ("1e39", "1e39"), ("-1e300", "-1e300")] {
        let table = format!("x,z,y\n1,2,a\n2,{cell},b\n3,4,a\n");
        let words = format!("has `{shown}` in row 2 (line 3), column `z`, which is too large for f32");
        for scale in ["none", "standard"] {
            let data = format!("target = \"y\"\nscale = \"{scale}\"");
            assert_rejected(&table, &data, &[&words, &format!("na_values = [\"{shown}\"]")]);
        }
        let dir = new_dir(&table, "target = \"y\"", 2, CLASSIFY);
        dir.write("tree.toml", tree);
        assert_says(&dir.error_message(&["exp", "tree.toml"]), &[&words]);
        let target = table.replace(",a\n", ",1\n").replace(",b\n", ",3\n").replace("x,z,y", "x,y,z");
        assert_rejected(&target, "target = \"y\"\ntask = \"values\"", &[&words.replace("`z`", "`y`")]);
        let filled = format!("target = \"y\"\nmissing_values = [\"{cell}\"]\nmissing = \"mean\"");
        assert_eq!(train(&table, &filled, 2, CLASSIFY).0, 2);
    }
    train("x,z,y\n1,3.4e38,a\n2,1e-400,b\n3,4,a\n", "target = \"y\"", 2, CLASSIFY);

    let dir = new_dir("x,y\n1,2\n2,4\n3,5\n", "target = \"y\"", 1, "mse");
    dir.exp(&["idea.toml"]);
    dir.write("given.csv", "x,y\n1e39,2\n");
    assert_says(
        &dir.error_message(&["predict", "idea", "--csv", "given.csv"]),
        &["has `1e39` in row 1", "too large for f32"],
    );
    dir.write("given.csv", "x,y\n1,-1e39\n");
    assert_says(
        &dir.error_message(&["eval", "idea", "--data", "given.csv"]),
        &["column `y`, where a number in the range of f32"],
    );
}

#[test]
fn labels_of_images_that_start_at_1_are_recognized() {
    let dir = TestDir::new();
    dir.write("images", runner::data::store::idx::write(&[6, 2, 2], &[7; 24]));
    dir.write("labels", runner::data::store::idx::write(&[6], &[1, 2, 3, 1, 2, 3]));
    let idea = |outputs: usize, labels: &str| {
        experiment("", outputs, CLASSIFY).replace(
            "[data.csv]\npath = \"table.csv\"",
            &format!("[data.idx]\nimages = \"images\"\nlabels = \"{labels}\""),
        )
    };
    dir.write("idea.toml", idea(3, "labels"));
    let message = dir.error_message(&["exp", "idea.toml"]).replace("\n      ", " ");
    assert_says(&message, &["4 classes, and the network has 3", "class 0 has no rows", "subtract 1 from the labels"]);
    dir.write("idea.toml", idea(4, "labels"));
    let message = stderr(&dir.run(&["exp", "idea.toml", "--device", "cpu"]).code(0));
    assert_says(&message, &["class 0 has no rows: the labels are 1 to 3"]);
    dir.write("idea.toml", idea(5, "labels"));
    assert!(!dir.error_message(&["exp", "idea.toml"]).contains("subtract"));
    dir.write("array.npy", b"\x93NUMPY\x01\x00v\x00{'descr': '|u1'}");
    dir.write("idea.toml", idea(3, "array.npy"));
    assert_says(&dir.error_message(&["exp", "idea.toml"]), &["array.npy` is a NumPy file", "IDX"]);
}

#[test]
fn settings_that_a_file_leaves_out_can_be_set_on_the_command_line() {
    let rows: String =
        (0..20).map(|row| format!("{},{}\n", if row == 3 { "?" } else { "1.5" }, ["a", "b"][row % 2])).collect();
    let dir = new_dir(&format!("x,y\n{rows}"), "target = \"y\"\nmissing = \"drop\"", 2, CLASSIFY);
    assert_says(&dir.error_message(&["exp", "idea.toml"]), &["na_values = [\"?\"]"]);
    let history = dir.history(&["idea.toml", "--set", "data.csv.na_values=[\"?\"]"]);
    assert_eq!(history["data"]["rows"]["train"], 19);
    let message = dir.error_message(&["exp", "idea.toml", "--set", "data.csv.split.group=z"]);
    assert!(!message.contains("there is no"), "the setting is known: {message}");
}

#[test]
fn a_column_that_determines_the_class_is_noted_before_training() {
    let rows: String = (0..60).map(|row| format!("{}.5,{},{}\n", row * 7 % 13, row % 2, ["a", "b"][row % 2])).collect();
    let dir = new_dir(&format!("x,copy,y\n{rows}"), "target = \"y\"", 2, CLASSIFY);
    let dry = ["exp", "idea.toml", "--device", "cpu", "--dry-run"];
    let message = stderr(&dir.run(&dry).code(0)).replace("\n  ", " ");
    assert_says(&message, &["note: column `copy` alone determines `y` in every row", "drop = [\"copy\"]"]);
    assert!(!message.contains("column `x`"), "{message}");
    let dropped = dir.run(&[&dry[..], &["--set", "data.csv.drop=[\"copy\"]"]].concat()).code(0);
    assert!(!stderr(&dropped).contains("alone determines"), "{}", stderr(&dropped));
}
