//! Variants with data leakage, beside the variant that is the same without the leak.

use serde_json::Value;

use crate::history::History;
use crate::history::number::brief;
use crate::views::variants::variant::Variant;

/// The metrics that show the effect of a leak, the first that both variants have.
const METRICS: [&str; 4] = ["f1", "ap", "balanced_acc", "acc"];

/// Returns a sentence for each variant with data leakage.
pub fn sentences(variants: &[Variant]) -> Vec<String> {
    variants.iter().filter_map(|leaky| sentence(leaky, variants)).collect()
}

fn sentence(leaky: &Variant, variants: &[Variant]) -> Option<String> {
    let (name, why) = (leaky.name, leaky.leak()?);
    let without_leak = variants.iter().find(|other| is_twin(leaky, other));
    let with_metric = without_leak.and_then(|other| {
        let metric = |variant: &Variant, metric: &str| variant.mean(|history| test_metric(history, metric));
        METRICS.iter().find_map(|name| Some((other.name, *name, metric(leaky, name)?, metric(other, name)?)))
    });
    Some(match with_metric {
        None => format!("data leakage in {name}: {why}"),
        Some((other, metric, with, without)) => format!(
            "data leakage in {name}: test {metric} {} is inflated; without the leak ({other}) it is {}; {why}",
            brief(with),
            brief(without)
        ),
    })
}

/// Returns whether two variants differ only in the leak.
fn is_twin(leaky: &Variant, other: &Variant) -> bool {
    let settings = |variant: &Variant| -> Option<Value> {
        let mut config = variant.trials.first()?.config.clone();
        config.as_object_mut()?.shift_remove("resample_before_split");
        Some(config)
    };
    other.leak().is_none() && other.name != leaky.name && settings(other) == settings(leaky)
}

fn test_metric(history: &History, metric: &str) -> Option<f64> {
    Some(history.test.as_ref()?.metrics.get(metric)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::resampling::ResampleRecord;
    use crate::views::fixtures::{history, tested};

    #[test]
    fn the_inflated_metric_is_beside_that_of_the_variant_without_the_leak() {
        let trial =
            |variant, f1: f64| tested(history(variant, 0, &[("loss", &[0.9, 0.4])]), &[("acc", 0.9), ("f1", f1)]);
        let mut histories = [trial("smote", 0.5), trial("leaky", 0.75), trial("other", 0.25)];
        histories[1].data.resample = Some(ResampleRecord::before_split("over", vec![9, 1], vec![9, 9]));
        histories[1].config["resample_before_split"] = true.into();
        histories[0].config["resample_before_split"] = false.into();
        histories[2].config["train"]["loss"] = "mae".into();
        let found = sentences(&Variant::all(["other", "smote", "leaky"], &histories));
        assert_eq!(found.len(), 1);
        let expected =
            "data leakage in leaky: test f1 0.7500 is inflated; without the leak (smote) it is 0.5000; all rows";
        assert!(found[0].starts_with(expected), "{found:?}");
        let alone = sentences(&Variant::all(["other", "leaky"], &histories));
        assert!(alone[0].starts_with("data leakage in leaky: all rows were resampled"), "{alone:?}");
    }
}
