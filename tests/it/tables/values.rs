//! What the fields of a table mean, through the program: the text of a field is the category, what is no category is
//! recognized, and every command reads a table the same way.

use serde_json::{Value, json};

use crate::support::{Place, assert_says, stderr, stdout};

/// An experiment on `table.csv` with these settings of its data.
fn experiment(data: &str, outputs: usize, loss: &str) -> String {
    format!(
        "title = \"A table\"\n[data.csv]\npath = \"table.csv\"\n{data}\n[network]\nlayers = [{{ linear = {outputs} }}]\n\
         [train]\nepochs = 2\nbatch = \"full\"\nloss = \"{loss}\"\noptimizer = {{ sgd = {{ lr = 0.01 }} }}\n"
    )
}

const CLASSIFY: &str = "cross_entropy";

fn place(table: &str, data: &str, outputs: usize, loss: &str) -> Place {
    let place = Place::new();
    place.write("table.csv", table);
    place.write("idea.toml", experiment(data, outputs, loss));
    place
}

/// What `exp` says when it refuses this table with these settings.
#[track_caller]
fn refusal(table: &str, data: &str, words: &[&str]) {
    let place = place(table, data, 2, CLASSIFY);
    let said = place.refusal(&["exp", "idea.toml"]);
    assert_says(&said.replace("\n      ", " "), words);
    assert!(said.contains("hint: "), "{said}");
    assert_eq!(place.refusal(&["show", "idea.toml"]), said, "`show` reads the table as `exp` does");
}

/// The features of the network, and what the history knows of the classes.
#[track_caller]
fn trained(table: &str, data: &str, outputs: usize, loss: &str) -> (u64, Value) {
    let history = place(table, data, outputs, loss).history(&["idea.toml"]);
    let parameters = history["network"]["parameters"].as_u64().unwrap();
    ((parameters - outputs as u64) / outputs as u64, history["data"]["classes"].clone())
}

fn described(place: &Place, more: &[&str]) -> Value {
    let run = place.run(&[&["data", "describe", "table.csv", "--json"], more].concat()).code(0);
    serde_json::from_str::<Value>(&stdout(&run)).unwrap()["parts"][0].clone()
}

#[test]
fn codes_that_are_one_number_stay_apart_as_categories() {
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
        assert_eq!(trained(&table, data, 2, CLASSIFY).0, 4, "{codes:?}");
        let part = described(&place(&table, data, 2, CLASSIFY), &[]);
        assert_eq!(part["columns"][0]["distinct"], 3, "{codes:?}");
    }
}

#[test]
fn codes_that_are_one_number_stay_apart_as_classes_in_every_command() {
    let (low, high) = ("90071992547409921", "90071992547409922");
    let rows: String = (0..12).map(|row| format!("{}.5,{}\n", row % 2, [low, high, "01", "1"][row % 4])).collect();
    let place = place(&format!("x,y\n{rows}"), "target = \"y\"\ntask = \"classes\"", 4, CLASSIFY);
    let history = place.history(&["idea.toml"]);
    assert_eq!(history["data"]["classes"], json!(["01", "1", low, high]));
    let part = described(&place, &["--target", "y"]);
    let counted: Vec<_> = part["classes"].as_array().unwrap().iter().map(|class| &class["class"]).collect();
    assert_eq!(counted, ["01", "1", low, high]);
    assert_eq!(part["duplicate_rows"], 8, "rows that differ in their class alone are no duplicates");
    place.write("given.csv", format!("x,y\n0.5,{high}\n1.5,01\n"));
    let evaluated = stdout(&place.run(&["eval", "idea", "--data", "given.csv", "--json", "--device", "cpu"]).code(0));
    assert!(evaluated.contains("loss"), "{evaluated}");
    let predicted = stdout(&place.run(&["predict", "idea", "--csv", "given.csv", "--format", "csv"]).code(0));
    assert!(predicted.contains(high), "{predicted}");
    place.write("given.csv", "x,y\n0.5,001\n");
    assert_says(&place.refusal(&["eval", "idea", "--data", "given.csv"]), &["has `001` in row 1 (line 2), column `y`"]);
    place.write("given.csv", "x,y\n0.5,1.0\n");
    place.run(&["eval", "idea", "--data", "given.csv", "--device", "cpu"]).code(0);
}

#[test]
fn a_text_that_counts_as_missing_is_quoted_and_can_be_stated_to_be_none() {
    let table = "code,x,y\nNA,1,a\nFR,2,b\nNA,3,b\nnull,4,a\nDE,5,a\n";
    let data = "target = \"y\"\nencode = \"one_hot\"";
    let words = ["row 1 (line 2), column `code`, has `NA`, which counts as missing", "`missing_values = [\"\"]`"];
    refusal(table, data, &words);
    let stated = format!("{data}\nmissing_values = [\"\"]");
    assert_eq!(trained(table, &stated, 2, CLASSIFY).0, 5);
    assert_eq!(trained(table, &format!("{data}\nmissing_values = [\"FR\"]\nmissing = \"drop\""), 2, CLASSIFY).0, 5 - 1);
    let part = described(&place(table, data, 2, CLASSIFY), &["--missing-values", ",FR"]);
    assert_eq!((&part["columns"][0]["missing"], &part["columns"][0]["missing_as"]), (&json!(1), &json!("FR")));
    // numbers that mark a missing value
    let table = "x,z,y\n1,0,a\n-999,1,b\n-999.0,2,b\n4,3,a\n";
    refusal(
        table,
        "target = \"y\"\nmissing_values = [\"\", -999]",
        &["row 2 (line 3), column `x`, has `-999`, which counts as missing"],
    );
    trained(table, "target = \"y\"\nmissing_values = [-999]\nmissing = \"mean\"", 2, CLASSIFY);
}

#[test]
fn a_class_that_looks_missing_is_one_where_it_is_stated_and_is_not_lost_without_a_word() {
    let rows: String = (0..12).map(|row| format!("{row}.5,{}\n", ["None", "Low", "High"][row % 3])).collect();
    let table = format!("x,risk\n{rows}");
    let target = "target = \"risk\"";
    let words =
        ["target `risk`, has `None`, which counts as missing", "write `classes = [\"None\", \"High\", \"Low\"]`"];
    refusal(&table, target, &words);
    let classes = trained(&table, &format!("{target}\nclasses = [\"Low\", \"None\", \"High\"]"), 3, CLASSIFY).1;
    assert_eq!(classes, json!(["Low", "None", "High"]));
    let place = place(&table, &format!("{target}\nmissing = \"drop\""), 2, CLASSIFY);
    let said = stderr(&place.run(&["exp", "idea.toml", "--device", "cpu"]).code(0)).replace("\n  ", " ");
    assert_says(&said, &["leaves out 4 of 12 rows", "holds `None`", "classes = ["]);
}

#[test]
fn a_table_given_to_a_run_is_read_as_its_own_was() {
    let rows: String = (1..=12)
        .map(|row| format!("{row}.000,5;{:02}/03/2024;{};{}\n", row + 10, ["None", "UK"][row % 2], ["a", "b"][row % 2]))
        .collect();
    let data = "target = \"y\"\nseparator = \";\"\ndecimal = \",\"\nthousands = \".\"\ndates = [\"day\"]\n\
                missing_values = [\"?\"]\nmissing = \"drop\"\nencode = \"one_hot\"";
    let place = place(&format!("x;day;land;y\n{rows}"), data, 2, CLASSIFY);
    assert_eq!(place.history(&["idea.toml"])["network"]["parameters"], 2 * 4 + 2);
    // 04/03 could be the third of April, had the run's own table not said that the day is first
    place.write("given.csv", "land;x;day\nNone;2.500;04/03/2024\n?;1;05/03/2024\nUK;1,5;06/03/2024\n");
    let run = place.run(&["predict", "idea", "--csv", "given.csv", "--format", "csv"]).code(0);
    assert_eq!(stdout(&run).lines().count(), 1 + 2, "{}", stdout(&run));
    place.write("given.csv", "land;x;day\nUK;2.500;13/13/2024\n");
    let said = place.refusal(&["predict", "idea", "--csv", "given.csv"]);
    assert_says(&said, &["has `13/13/2024` in row 1 (line 2), column `day`", "there is no month 13"]);
    place.write("given.csv", "land;x;day\nUK;1.5;13/03/2024\n");
    let said = place.refusal(&["predict", "idea", "--csv", "given.csv"]);
    assert_says(&said, &["has `1.5` in row 1 (line 2), column `x`, where a number was expected"]);
}

#[test]
fn dates_are_recognized_and_become_numbers_where_that_is_asked_for() {
    let table = |days: [&str; 3]| format!("day,y\n{},1.5\n{},2.5\n{},0.5\n", days[0], days[1], days[2]);
    let iso = table(["2024-01-31", "2024-02-01T12:00:00Z", "2023-12-31 06:00"]);
    let data = "target = \"y\"\nencode = \"one_hot\"";
    refusal(&iso, data, &["column `day` holds dates: `2024-01-31` in row 1 (line 2)", "`dates = [\"day\"]`"]);
    let asked = format!("{data}\ndates = [\"day\"]");
    assert_eq!(trained(&iso, &asked, 1, "mse").0, 1);
    let part = described(&place(&iso, &asked, 1, "mse"), &["--dates", "day"]);
    assert_eq!((&part["columns"][0]["min"], &part["columns"][0]["max"]), (&json!(19722.25), &json!(19754.5)));
    let part = described(&place(&iso, &asked, 1, "mse"), &[]);
    assert!(part["columns"][0]["look_out"].as_str().unwrap().contains("dates = [\"day\"]"), "{part}");
    assert_eq!(trained(&table(["31/12/2023", "01/02/2024", "02/03/2024"]), &asked, 1, "mse").0, 1);
    let unclear = table(["01/12/2023", "01/02/2024", "02/03/2024"]);
    refusal(&unclear, &asked, &["`01/12/2023` in row 1 (line 2)", "day first or the month first", "%d/%m/%Y"]);
    assert_eq!(trained(&unclear, &format!("{data}\ndates = {{ day = \"%d/%m/%Y\" }}"), 1, "mse").0, 1);
    let none = table(["2024-01-01", "2024-02-30", "2024-03-01"]);
    refusal(&none, &asked, &["`2024-02-30` in row 2 (line 3), column `day`", "February 2024 has 29 days"]);
    refusal(&iso, &format!("{data}\ndates = {{ day = \"%Q\" }}"), &["`data.csv.dates.day` has `%Q`"]);
    refusal(
        &iso,
        &format!("{data}\ndates = [\"dya\"]"),
        &["`data.csv.dates` lists a column", "its columns are `day`, `y`"],
    );
}

#[test]
fn numbers_with_marks_are_refused_with_the_line_that_reads_them() {
    let data = "target = \"y\"\ntask = \"values\"\nseparator = \";\"\nencode = \"one_hot\"";
    for (cells, words, line) in [
        (["1,5", "2,25", "10"], "`1,5` in row 1 (line 2)", "decimal = \",\""),
        (["1.299,99", "999,5", "1.000"], "`1.299,99` in row 1", "decimal = \",\"\nthousands = \".\""),
        (["999.5", "1,299.99", "1,000"], "`1,299.99` in row 2", "thousands = \",\""),
        (["1 234,5", "2,5", "3"], "`1 234,5` in row 1", "decimal = \",\"\nthousands = \" \""),
    ] {
        for column in 0..2 {
            // as a feature, and as the target
            let row = |(number, cell): (usize, &&str)| match column {
                0 => format!("{cell};{number}.0\n").replace(".0", ""),
                _ => format!("{number};{cell}\n"),
            };
            let table = format!("x;y\n{}", cells.iter().enumerate().map(row).collect::<String>());
            refusal(&table, data, &[words, &line.replace("\n", "` and `")]);
            assert_eq!(trained(&table, &format!("{data}\n{line}"), 1, "mse").0, 1, "{table}");
        }
    }
    for (cells, words) in [
        (["45%", "50 %", "7.5%"], ["has percentages: `45%` in row 1 (line 2)", "remove `%`"]),
        (["$1,299.99", "$5", "-$7.50"], ["has amounts of money: `$1,299.99` in row 1 (line 2)", "remove `$`"]),
        (["4,5 €", "5 €", "7 €"], ["has amounts of money: `4,5 €` in row 1 (line 2)", "remove `€`"]),
        (["1", "2", "?"], ["has numbers, but also `?` in row 3 (line 4)", "missing_values = [\"\", \"NA\", \"?\"]"]),
        (["1", "-", "3"], ["has numbers, but also `-` in row 2 (line 3)", "missing_values = [\"\", \"NA\", \"-\"]"]),
        (["1", "Infinity", "3"], ["has numbers, but also `Infinity` in row 2 (line 3)", "missing_values"]),
        (["1", "2", "1e400"], ["has numbers, but also `1e400` in row 3 (line 4)", "missing_values"]),
    ] {
        let rows: String = cells.iter().enumerate().map(|(number, cell)| format!("{cell};{number}\n")).collect();
        refusal(&format!("x;y\n{rows}"), data, &words);
        let rows: String = cells.iter().enumerate().map(|(number, cell)| format!("{number};{cell}\n")).collect();
        refusal(&format!("x;y\n{rows}"), &data.replace("task = \"values\"\n", ""), &words);
    }
    refusal("x;y\n1;2\n2;3\n", &format!("{data}\ndecimal = \";\""), &["`data.csv.decimal` must be `.` or `,`"]);
}

#[test]
fn text_that_is_no_category_is_refused_unless_it_is_named_as_one() {
    let data = "target = \"y\"\nencode = \"one_hot\"";
    let table = |rows: usize, cell: &dyn Fn(usize) -> String| {
        let rows = (0..rows).map(|row| format!("{},{row}.5,{}\n", cell(row), ["a", "b"][row % 2]));
        format!("c,x,y\n{}", rows.collect::<String>())
    };
    let ids = table(20, &|row| format!("customer-{row}"));
    let words = ["has 20 distinct texts in 20 rows", "`customer-0` in row 1", "drop = [\"c\"]", "categories = [\"c\"]"];
    refusal(&ids, data, &words);
    refusal(
        &ids.replace("c,x,y", "y,x,c"),
        "target = \"y\"\nencode = \"one_hot\"",
        &["`data.csv.target` cannot be classes"],
    );
    let sixty = table(600, &|row| format!("town{:02}", row % 60));
    refusal(
        &sixty,
        data,
        &["`data.csv.encode` is `one_hot`", "column `c` holds 60 categories", "categories = [\"c\"]"],
    );
    let sign = table(20, &|row| ["Rome", "Oslo", "?", "Rome"][row % 4].to_owned());
    refusal(&sign, data, &["`?` in row 3 (line 4)", "missing_values = [\"\", \"NA\", \"?\"]", "categories = [\"c\"]"]);
    for (table, features) in [(&ids, 21), (&sixty, 61), (&sign, 4)] {
        assert_eq!(trained(table, &format!("{data}\ncategories = [\"c\"]"), 2, CLASSIFY).0, features);
    }
    let said = |data: &str| {
        let place = place(&table(200, &|row| format!("town{:02}", row % 20)), data, 2, CLASSIFY);
        stderr(&place.run(&["exp", "idea.toml", "--device", "cpu"]).code(0)).replace("\n  ", " ")
    };
    assert_says(&said(data), &["`c` becomes 20 features for 200 rows", "categories = [\"c\"]"]);
    assert!(!said(&format!("{data}\ncategories = [\"c\"]")).contains("becomes"));
    let flags = table(20, &|row| ["true", "false"][row % 2].to_owned());
    assert_eq!(trained(&flags, data, 2, CLASSIFY).0, 3);
}

#[test]
fn a_target_of_two_numbers_must_be_said_to_be_classes_or_values() {
    let table = "x,y\n1.5,0\n2.5,1\n3.5,1\n";
    let words =
        ["`data.csv.target` has two distinct numbers, `0` and `1`, in column `y`", "write `task = \"classes\"`"];
    refusal(table, "target = \"y\"", &words);
    assert_eq!(trained(table, "target = \"y\"\ntask = \"classes\"", 2, CLASSIFY).1, json!(["0", "1"]));
    assert_eq!(trained(table, "target = \"y\"\ntask = \"values\"", 1, "mse").1, json!(["y"]));
    refusal("x,y,z\n1,0,1\n2,1,0\n3,1,1\n", "target = [\"y\", \"z\"]", &["write `task = \"labels\"`"]);
}

#[test]
fn numbers_that_f32_cannot_hold_are_refused_with_their_place() {
    let tree = "title = \"A tree\"\n[data.csv]\npath = \"table.csv\"\ntarget = \"y\"\n[tree]\nmax_depth = 2\n";
    for (cell, shown) in [("-3.5e38", "-3.5e38"), ("1e39", "1e39"), ("-1e300", "-1e300")] {
        let table = format!("x,z,y\n1,2,a\n2,{cell},b\n3,4,a\n");
        let words = format!("has `{shown}` in row 2 (line 3), column `z`, which is too large for f32");
        for scale in ["none", "standard"] {
            let data = format!("target = \"y\"\nscale = \"{scale}\"");
            refusal(&table, &data, &[&words, &format!("missing_values = [\"\", \"NA\", \"{shown}\"]")]);
        }
        let place = place(&table, "target = \"y\"", 2, CLASSIFY);
        place.write("tree.toml", tree);
        assert_says(&place.refusal(&["exp", "tree.toml"]), &[&words]);
        let target = table.replace(",a\n", ",1\n").replace(",b\n", ",3\n").replace("x,z,y", "x,y,z");
        refusal(&target, "target = \"y\"\ntask = \"values\"", &[&words.replace("`z`", "`y`")]);
        let filled = format!("target = \"y\"\nmissing_values = [\"{cell}\"]\nmissing = \"mean\"");
        assert_eq!(trained(&table, &filled, 2, CLASSIFY).0, 2);
    }
    trained("x,z,y\n1,3.4e38,a\n2,1e-400,b\n3,4,a\n", "target = \"y\"", 2, CLASSIFY);

    let place = place("x,y\n1,2\n2,4\n3,5\n", "target = \"y\"", 1, "mse");
    place.exp(&["idea.toml"]);
    place.write("given.csv", "x,y\n1e39,2\n");
    assert_says(
        &place.refusal(&["predict", "idea", "--csv", "given.csv"]),
        &["has `1e39` in row 1", "too large for f32"],
    );
    place.write("given.csv", "x,y\n1,-1e39\n");
    assert_says(
        &place.refusal(&["eval", "idea", "--data", "given.csv"]),
        &["column `y`, where a number in the range of f32"],
    );
}

#[test]
fn labels_of_images_that_start_at_1_are_recognized() {
    let place = Place::new();
    place.write("images", runner::data::store::idx::write(&[6, 2, 2], &[7; 24]));
    place.write("labels", runner::data::store::idx::write(&[6], &[1, 2, 3, 1, 2, 3]));
    let idea = |outputs: usize, labels: &str| {
        experiment("", outputs, CLASSIFY).replace(
            "[data.csv]\npath = \"table.csv\"",
            &format!("[data.idx]\nimages = \"images\"\nlabels = \"{labels}\""),
        )
    };
    place.write("idea.toml", idea(3, "labels"));
    let said = place.refusal(&["exp", "idea.toml"]).replace("\n      ", " ");
    assert_says(&said, &["4 classes, and the network has 3", "class 0 has no rows", "subtract 1 from the labels"]);
    place.write("idea.toml", idea(4, "labels"));
    let said = stderr(&place.run(&["exp", "idea.toml", "--device", "cpu"]).code(0));
    assert_says(&said, &["class 0 has no rows: the labels are 1 to 3"]);
    place.write("idea.toml", idea(5, "labels"));
    assert!(!place.refusal(&["exp", "idea.toml"]).contains("subtract"));
    place.write("array.npy", b"\x93NUMPY\x01\x00v\x00{'descr': '|u1'}");
    place.write("idea.toml", idea(3, "array.npy"));
    assert_says(&place.refusal(&["exp", "idea.toml"]), &["array.npy` is a NumPy file", "IDX"]);
}
