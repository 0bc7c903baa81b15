//! Plots of the rows of a run: the names of their files, and images in color.

use image::{Rgb, RgbImage};

use crate::support::{TestDir, assert_says, idea_with, stdout};

#[test]
fn plots_of_named_runs_are_files_of_their_own() {
    let dir = TestDir::new();
    let file = dir
        .file("ten.toml", &idea_with("[data.digits]\n", "[data.digits]\nsplit = { test = 0.2, random_state = 1 }\n"));
    for name in ["first", "second"] {
        dir.run(&["exp", &file, "--epochs", "1", "--name", name, "--quiet"]).code(0);
    }
    let kinds: [&[&str]; 5] =
        [&["curves"], &["calibration"], &["classes"], &["samples", "--count", "2"], &["pr", "--by-class"]];
    for kind in kinds {
        let path = |run: &str| stdout(&dir.run(&[&["plot"], kind, &[run]].concat()).code(0));
        let (kind, file) = (kind[0], path("first"));
        assert!(file.starts_with(&format!("first-{kind}")), "{file}");
        assert!(path("second").starts_with(&format!("second-{kind}")), "{kind}");
        assert!(path("ten").starts_with(&format!("second-{kind}")), "the newest run has a name: {kind}");
    }
}

#[test]
fn color_images_are_plotted_in_color() {
    let dir = TestDir::new();
    for (class, color) in [("red", [255, 0, 0]), ("blue", [0, 0, 255])] {
        for number in 0..12 {
            let path = dir.path(&format!("flags/{class}/{number}.png"));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let image = RgbImage::from_fn(8, 8, |x, y| Rgb(if x + y > number { color } else { [0, 255, 0] }));
            image.save(path).unwrap();
        }
    }
    let data = "[data.images]\npath = \"flags\"\nsize = 8\nsplit = { test = 0.5, random_state = 1 }\n";
    let text = idea_with("[data.digits]\n", data);
    let text = text.replace("[{ linear = 16 }", "[\"flatten\", { linear = 16 }").replace("linear = 10", "linear = 2");
    dir.write("flags.toml", text);
    dir.run(&["exp", "flags.toml", "--quiet"]).code(0);
    assert_eq!(stdout(&dir.run(&["plot", "samples", "flags"]).code(0)), "flags-samples.svg\n");
    let svg = std::fs::read_to_string(dir.path("flags-samples.svg")).unwrap();
    assert_says(&svg, &["#ff0000", "#0000ff", "#00ff00", ">row 3<"]);
    dir.run(&["plot", "samples", "flags", "-o", "flags.png"]).code(0);
}

#[test]
fn the_plot_of_two_named_runs_is_named_after_both() {
    let dir = TestDir::with_idea();
    for (name, seed) in [("six", "6"), ("seven", "7")] {
        dir.run(&["exp", "idea.toml", "--seed", seed, "--epochs", "1", "--name", name, "--quiet"]).code(0);
    }
    assert_eq!(stdout(&dir.run(&["plot", "six", "seven"]).code(0)), "six-seven-curves.svg\n");
    assert_eq!(stdout(&dir.run(&["plot", "six"]).code(0)), "six-curves.svg\n");
}
