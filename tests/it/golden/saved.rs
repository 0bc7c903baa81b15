//! A saved network, loaded by PyTorch and by `runner`.

use std::path::Path;

use runner::data::source::DataSpec;
use runner::data::store::cache::Cache;
use runner::network::init::Init;
use runner::network::stack::Architecture;
use runner::network::state_dict;
use runner::tensor::shape::Shape;
use tch::nn::ModuleT;
use tch::{Device, Kind};

use super::fixture::{assert_near, floats, load_fixture, parse_layers, values};

#[test]
fn saved_networks_give_the_same_logits_in_pytorch_and_here() {
    let fixture = load_fixture("saved_network");
    let layers = parse_layers(&fixture["layers"]);
    let architecture = Architecture::follow(&layers, Init::Pytorch, &Shape::from([1, 8, 8])).unwrap();
    let fresh = architecture.build(&[12345], Device::Cpu).unwrap();
    let saved = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/saved_network.safetensors");
    state_dict::load(&fresh, 0, &saved).unwrap();

    let digits = DataSpec::by_name("digits").unwrap().load(&Cache::for_user(), &mut ()).unwrap();
    let digits = digits.rows.features.narrow(0, 0, 8).to_kind(Kind::Float) / 16;
    let logits = fresh.forward_t(&digits.view([1, 8, 1, 8, 8]), false);
    assert_near(&values(&logits), &floats(&fixture["logits"]), 1e-5, "logits");

    // saving a loaded network gives the same bytes, so PyTorch loaded the file that `runner` writes
    let folder = tempfile::tempdir().unwrap();
    let again = folder.path().join("again.safetensors");
    state_dict::save(&fresh, 0, &again).unwrap();
    assert_eq!(std::fs::read(&again).unwrap(), std::fs::read(&saved).unwrap());
}
