//! Targets in arrays: classes, yes-or-no labels or numbers.

use tch::Tensor;

use crate::config::check::Invalid;
use crate::data::dataset::numbered_classes;
use crate::data::table::target_kind::TargetKind;
use crate::data::target::Target;

/// Maximum number of different integers that are classes unless `task` states it.
const MOST_CLASSES: usize = 1000;

/// Values of a target array, row by row.
#[derive(Debug)]
pub struct TargetArray {
    /// Number of values of a row.
    pub width: usize,
    /// Values.
    pub values: ArrayValues,
}

/// Values of a target array.
#[derive(Debug)]
pub enum ArrayValues {
    /// Integers and yes-or-no values.
    Integers(Vec<i64>),
    /// Floating-point numbers.
    Floats(Vec<f64>),
}

/// What arrays of targets contain, with their names.
#[derive(Debug)]
pub struct ArrayTargets {
    /// What is predicted.
    pub target: Target,
    /// Names of the classes, labels or values.
    pub names: Vec<String>,
    /// Integers that are the classes, ascending.
    codes: Vec<i64>,
}

impl TargetArray {
    /// Returns the values as floating-point numbers.
    pub fn numbers(&self) -> Vec<f64> {
        match &self.values {
            ArrayValues::Integers(values) => values.iter().map(|&value| value as f64).collect(),
            ArrayValues::Floats(values) => values.clone(),
        }
    }

    /// Returns the values as integers.
    ///
    /// # Errors
    /// The first row with a fraction.
    pub fn integers(&self) -> Result<Vec<i64>, usize> {
        match &self.values {
            ArrayValues::Integers(values) => Ok(values.clone()),
            ArrayValues::Floats(values) => {
                let is_whole = |value: f64| value.fract() == 0.0 && value.abs() < 9e15;
                match values.iter().position(|&value| !is_whole(value)) {
                    Some(index) => Err(index / self.width),
                    None => Ok(values.iter().map(|&value| value as i64).collect()),
                }
            }
        }
    }

    /// Returns the first row with a value that is neither 0 nor 1.
    fn first_other_than_binary(&self) -> Option<(usize, f64)> {
        let numbers = self.numbers();
        let index = numbers.iter().position(|&value| value != 0.0 && value != 1.0)?;
        Some((index / self.width, numbers[index]))
    }

    /// Returns the first row that does not have exactly one 1.
    fn first_not_one_hot(&self) -> Option<usize> {
        let ones = |row: &[f64]| row.iter().filter(|&&value| value == 1.0).count();
        self.numbers().chunks_exact(self.width).position(|row| ones(row) != 1)
    }
}

impl ArrayTargets {
    /// Decides what the arrays of all parts contain. `parts` has each array with the key of its setting; `task` and
    /// `classes` are the settings.
    ///
    /// # Errors
    /// When the values do not fit the settings, or can be understood in two ways.
    pub fn new(
        parts: &[(&'static str, &TargetArray)],
        task: Option<TargetKind>,
        classes: Option<&[String]>,
    ) -> Result<ArrayTargets, Invalid> {
        let (first_key, first) = parts[0];
        let width = first.width;
        if let Some((key, other)) = parts.iter().find(|(_, other)| other.width != width) {
            let message = format!("has {} values in a row, but `{first_key}` has {width}", other.width);
            return Err(Invalid::new(*key, message));
        }
        let task = match task {
            Some(task) => task,
            None => likely_task(parts)?,
        };
        match task {
            TargetKind::Classes if width == 1 => integer_classes(parts, classes),
            TargetKind::Classes => {
                parts.iter().try_for_each(|(key, part)| check_one_hot(key, part))?;
                let names = names(classes, width, || numbered_classes(width))?;
                Ok(ArrayTargets { target: Target::Classes(width), names, codes: (0..width as i64).collect() })
            }
            TargetKind::Labels => {
                let names = names(classes, width, || default_names(width))?;
                Ok(ArrayTargets { target: Target::Labels(width), names, codes: Vec::new() })
            }
            TargetKind::Values => {
                if classes.is_some() {
                    let hint = "remove `classes`, or write `task = \"classes\"`";
                    return Err(Invalid::new("classes", "is set, but the target is numeric (regression)").hint(hint));
                }
                Ok(ArrayTargets { target: Target::Values(width), names: default_names(width), codes: Vec::new() })
            }
        }
    }

    /// Returns the targets of a trained model; `are_named` is whether the setting `classes` names the classes 0, 1, 2, ….
    pub fn of_model(target: Target, names: &[String], are_named: bool) -> ArrayTargets {
        let code = |(class, name): (usize, &String)| match are_named {
            true => class as i64,
            false => name.parse().unwrap_or(class as i64),
        };
        ArrayTargets { target, names: names.to_vec(), codes: names.iter().enumerate().map(code).collect() }
    }

    /// Returns the number of rows of each class in an array that is among the targets.
    pub fn counts(&self, array: &TargetArray) -> Vec<usize> {
        let mut counts = vec![0; self.names.len()];
        if array.width > 1 {
            let numbers = array.numbers();
            numbers
                .chunks_exact(array.width)
                .flat_map(|row| row.iter().position(|&value| value == 1.0))
                .for_each(|class| counts[class] += 1);
        } else {
            let integers = array.integers().unwrap_or_default();
            integers.iter().flat_map(|value| self.codes.binary_search(value)).for_each(|class| counts[class] += 1);
        }
        counts
    }

    /// Converts an array to targets, as in [`crate::data::Rows`]. `key` is that of its setting.
    ///
    /// # Errors
    /// The first value that is not among the targets.
    pub fn tensor(&self, key: &str, array: &TargetArray) -> Result<Tensor, Invalid> {
        let wanted =
            if matches!(self.target, Target::Classes(_)) && array.width == 1 { 1 } else { self.target.outputs() };
        if array.width != wanted {
            let message = format!("has {} values in a row, but the target is {}", array.width, self.target);
            return Err(Invalid::new(key, message));
        }
        let width = array.width as i64;
        match self.target {
            Target::Classes(_) if width == 1 => {
                let integers = array.integers().map_err(|row| fraction(key, row))?;
                let class = |(row, value): (usize, &i64)| {
                    self.codes.binary_search(value).map(|class| class as i64).map_err(|_| {
                        let message = format!("has the class {value} in row {row}, which is not a class of the run");
                        Invalid::new(key, message)
                    })
                };
                let classes = integers.iter().enumerate().map(class).collect::<Result<Vec<_>, _>>()?;
                Ok(Tensor::from_slice(&classes))
            }
            Target::Classes(_) => {
                check_one_hot(key, array)?;
                Ok(Tensor::from_slice(&array.numbers()).view([-1, width]).argmax(1, false))
            }
            Target::Labels(_) | Target::Values(_) => {
                if matches!(self.target, Target::Labels(_)) {
                    check_binary(key, array, "labels are 0 or 1")?;
                }
                let numbers = array.numbers();
                if let Some(index) = numbers.iter().position(|value| !(*value as f32).is_finite()) {
                    let (value, row) = (numbers[index], index / array.width);
                    let message = format!("has {value:e} in row {row}, which is too large for a 32-bit float");
                    return Err(Invalid::new(key, message));
                }
                let numbers: Vec<f32> = numbers.iter().map(|&value| value as f32).collect();
                Ok(Tensor::from_slice(&numbers).view([-1, width]))
            }
        }
    }
}

/// Returns the task that the values suggest.
fn likely_task(parts: &[(&'static str, &TargetArray)]) -> Result<TargetKind, Invalid> {
    let (key, first) = parts[0];
    let is_integer = parts.iter().all(|(_, part)| matches!(part.values, ArrayValues::Integers(_)));
    if first.width == 1 {
        return Ok(if is_integer { TargetKind::Classes } else { TargetKind::Values });
    }
    let is_binary = parts.iter().all(|(_, part)| part.first_other_than_binary().is_none());
    if !is_binary {
        return Ok(TargetKind::Values);
    }
    if parts.iter().all(|(_, part)| part.first_not_one_hot().is_none()) {
        let message = format!("has exactly one 1 among the {} values of each row", first.width);
        let hint = "write `task = \"classes\"` if rows are one-hot, or `task = \"labels\"` if a row can have several";
        return Err(Invalid::new(key, message).hint(hint));
    }
    Ok(TargetKind::Labels)
}

/// Returns classes that are integers.
fn integer_classes(
    parts: &[(&'static str, &TargetArray)],
    classes: Option<&[String]>,
) -> Result<ArrayTargets, Invalid> {
    let mut codes: Vec<i64> = Vec::new();
    let mut rows = 0;
    for (key, part) in parts {
        let integers = part.integers().map_err(|row| fraction(key, row))?;
        rows += integers.len();
        if let Some(names) = classes {
            let is_unknown = |value: &i64| usize::try_from(*value).map_or(true, |class| class >= names.len());
            if let Some(row) = integers.iter().position(is_unknown) {
                let (found, count) = (integers[row], names.len());
                let names = if count == 1 { "name" } else { "names" };
                let message = format!("has the class {found} in row {row}, but `classes` has {count} {names}");
                return Err(Invalid::new(*key, message).hint("classes are counted from 0"));
            }
        }
        codes.extend(integers);
        codes.sort_unstable();
        codes.dedup();
    }
    if let Some(names) = classes {
        let codes = (0..names.len() as i64).collect();
        return Ok(ArrayTargets { target: Target::Classes(names.len()), names: names.to_vec(), codes });
    }
    let key = parts[0].0;
    if codes.len() > MOST_CLASSES {
        let message = format!("has {} different integers in {rows} rows, too many for classes", codes.len());
        return Err(Invalid::new(key, message).hint("use `task = \"values\"` for regression"));
    }
    if codes.len() < 2 {
        let message = format!("has the same class {} in every row", codes[0]);
        return Err(Invalid::new(key, message).hint("use an array with at least two classes"));
    }
    let names = codes.iter().map(i64::to_string).collect();
    Ok(ArrayTargets { target: Target::Classes(codes.len()), names, codes })
}

/// Checks that all values are 0 or 1.
fn check_binary(key: &str, array: &TargetArray, wanted: &str) -> Result<(), Invalid> {
    match array.first_other_than_binary() {
        Some((row, value)) => Err(Invalid::new(key, format!("has {value} in row {row}, but {wanted}"))),
        None => Ok(()),
    }
}

/// Checks that each row has exactly one 1, and else 0.
fn check_one_hot(key: &str, array: &TargetArray) -> Result<(), Invalid> {
    check_binary(key, array, "one-hot rows have 0 and 1")?;
    match array.first_not_one_hot() {
        Some(row) => {
            let message = format!("is not one-hot: row {row} does not have exactly one 1");
            Err(Invalid::new(key, message).hint("use `task = \"labels\"` for several labels in a row"))
        }
        None => Ok(()),
    }
}

/// Returns the error for a class that is no integer.
fn fraction(key: &str, row: usize) -> Invalid {
    let fault = Invalid::new(key, format!("has a fraction in row {row}, but classes are integers"));
    fault.hint("use `task = \"values\"` for regression")
}

/// Returns the names of the setting `classes`, or the default ones.
fn names(
    classes: Option<&[String]>,
    count: usize,
    default: impl FnOnce() -> Vec<String>,
) -> Result<Vec<String>, Invalid> {
    match classes {
        Some(names) if names.len() != count => {
            let found = names.len();
            let (names, columns) =
                (if found == 1 { "name" } else { "names" }, if count == 1 { "column" } else { "columns" });
            Err(Invalid::new("classes", format!("has {found} {names}, but the target has {count} {columns}")))
        }
        Some(names) => Ok(names.to_vec()),
        None => Ok(default()),
    }
}

/// Returns the names of labels or values without names: `y`, or `y0`, `y1`, …
fn default_names(width: usize) -> Vec<String> {
    if width == 1 { vec!["y".to_owned()] } else { (0..width).map(|column| format!("y{column}")).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integers(width: usize, values: &[i64]) -> TargetArray {
        TargetArray { width, values: ArrayValues::Integers(values.to_vec()) }
    }

    fn floats(width: usize, values: &[f64]) -> TargetArray {
        TargetArray { width, values: ArrayValues::Floats(values.to_vec()) }
    }

    fn targets(array: &TargetArray, task: Option<TargetKind>) -> Result<(Target, Vec<String>, Vec<f64>), String> {
        let targets = ArrayTargets::new(&[("y", array)], task, None).map_err(|fault| fault.to_string())?;
        let tensor =
            targets.tensor("y", array).map_err(|fault| fault.to_string())?.to_kind(tch::Kind::Double).flatten(0, -1);
        Ok((targets.target, targets.names, Vec::try_from(tensor).unwrap()))
    }

    #[test]
    fn integers_are_classes_and_floats_are_values_unless_stated() {
        let (target, names, classes) = targets(&integers(1, &[7, -1, 7, 3]), None).unwrap();
        assert_eq!((target, classes), (Target::Classes(3), vec![2.0, 0.0, 2.0, 1.0]));
        assert_eq!(names, ["-1", "3", "7"]);
        let (target, names, values) = targets(&floats(1, &[0.5, 2.0]), None).unwrap();
        assert_eq!((target, names, values), (Target::Values(1), vec!["y".to_owned()], vec![0.5, 2.0]));
        assert_eq!(targets(&integers(1, &[1, 2]), Some(TargetKind::Values)).unwrap().0, Target::Values(1));
        assert_eq!(targets(&floats(1, &[1.0, 2.0]), Some(TargetKind::Classes)).unwrap().2, [0.0, 1.0]);
        assert_eq!(targets(&floats(2, &[1.0, 2.0, 0.0, 1.0]), None).unwrap().0, Target::Values(2));
        assert_eq!(targets(&integers(2, &[1, 1, 0, 1]), None).unwrap().0, Target::Labels(2));
        let one_hot = integers(3, &[0, 0, 1, 1, 0, 0]);
        assert_eq!(targets(&one_hot, Some(TargetKind::Classes)).unwrap().2, [2.0, 0.0]);
        assert_eq!(targets(&one_hot, None).unwrap_err(), "`y` has exactly one 1 among the 3 values of each row");
    }

    #[test]
    fn classes_of_all_parts_are_counted_and_can_have_names() {
        let (train, test) = (integers(1, &[0, 1]), integers(1, &[2, 0]));
        let targets = ArrayTargets::new(&[("y", &train), ("y_test", &test)], None, None).unwrap();
        assert_eq!(targets.target, Target::Classes(3));
        let names = ["a", "b"].map(str::to_owned);
        let fault = ArrayTargets::new(&[("y", &train), ("y_test", &test)], None, Some(&names)).unwrap_err();
        assert_eq!(fault.to_string(), "`y_test` has the class 2 in row 0, but `classes` has 2 names");
        assert_eq!(ArrayTargets::new(&[("y", &train)], None, Some(&names)).unwrap().names, ["a", "b"]);
    }

    #[test]
    fn values_that_do_not_fit_the_task_are_refused() {
        let refused = |array: &TargetArray, task| targets(array, Some(task)).unwrap_err();
        assert!(refused(&floats(1, &[1.0, 0.5]), TargetKind::Classes).contains("has a fraction in row 1"));
        assert!(
            refused(&integers(2, &[0, 1, 1, 1]), TargetKind::Classes).contains("row 1 does not have exactly one 1")
        );
        assert!(refused(&integers(1, &[0, 2]), TargetKind::Labels).contains("has 2 in row 1"));
        assert!(refused(&floats(1, &[0.0, 1e300]), TargetKind::Values).contains("1e300 in row 1"));
        let many = integers(1, &(0..1001).collect::<Vec<_>>());
        assert!(targets(&many, None).unwrap_err().contains("1001 different integers in 1001 rows"));
    }
}
