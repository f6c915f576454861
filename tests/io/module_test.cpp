#include "tapegrad/io/module.hpp"

#include "catch.hpp"
#include "equal.hpp"
#include "said.hpp"
#include "tapegrad/io/safetensors.hpp"

using namespace tapegrad;

namespace {

struct Layer : nn::Module {
  Layer(Module& parent, std::string name, Index in, Index out)
      : Module(parent, std::move(name)),
        weight(*this, "weight", Shape{out, in}, nn::init::normal(0, 1)),
        bias(*this, "bias", Shape{out}, nn::init::normal(0, 1)) {}
  nn::Parameter weight, bias;
};

struct Model : nn::Module {
  explicit Model(Rng& rng, Index width = 4) : Module(rng), width_(width) {}
  Index width_;
  Layer encode{*this, "encode", 3, width_};
  Layer decode{*this, "decode", width_, 3};
};

/// Another model: one layer has another name.
struct Other : nn::Module {
  using Module::Module;
  Layer encode{*this, "encode", 3, 5};
  Layer pixels{*this, "pixels", 4, 3};
};

std::vector<Tensor> values(const nn::Module& module) {
  std::vector<Tensor> all;
  for (const auto& [name, parameter] : module.named_parameters()) all.emplace_back(parameter->value());
  return all;
}

std::string failure(const io::Path& path, nn::Module& module) {
  return said_by([&] { io::load(path, module); });
}

}  // namespace

TEST_CASE("a module that is saved and loaded is the same, to the bit") {
  const TemporaryDirectory dir;
  Rng rng(1);
  const Model saved(rng);
  Model loaded(rng);
  REQUIRE(!equal(values(saved), values(loaded)));
  io::save(dir / "model.safetensors", saved);
  io::load(dir / "model.safetensors", loaded);
  CHECK(equal(values(saved), values(loaded)));
  CHECK(dir.count() == 1);
}

TEST_CASE("a saved module is a safetensors file with the parameters' names") {
  const TemporaryDirectory dir;
  Rng rng(1);
  const Model model(rng);
  io::save(dir / "x", model);
  const io::Safetensors file = io::read_safetensors(dir / "x");
  CHECK(file.metadata == std::map<std::string, std::string>{{"format", "tapegrad"}, {"format_version", "1"}});
  CHECK(file.tensors.size() == 4);
  CHECK(same_bits(file.tensors.at("encode.weight"), model.encode.weight.value()));
  CHECK(file.tensors.at("decode.bias").shape() == Shape{3});
}

TEST_CASE("a file that others wrote is loaded if it fits") {
  const TemporaryDirectory dir;
  Rng rng(1);
  Model model(rng);
  const Tensor ones({4, 3}, Scalar(1)), more({3, 4}, Scalar(2)), four({4}, Scalar(3)), three({3}, Scalar(4));
  const std::map<std::string, ConstTensorView> tensors{
      {"encode.weight", ones}, {"encode.bias", four}, {"decode.weight", more}, {"decode.bias", three}};
  io::write_safetensors(dir / "x", tensors, {{"format", "pt"}});
  io::load(dir / "x", model);
  CHECK(same_bits(model.decode.bias.value(), three));
}

TEST_CASE("a checkpoint of another model: all that does not fit in one message, and nothing is changed") {
  const TemporaryDirectory dir;
  Rng rng(1);
  io::save(dir / "x", Model(rng));
  Other other(rng);
  const auto before = values(other);
  CHECK(failure(dir / "x", other) ==
        (dir / "x").string() +
            ": is not of this model: not in the file: \"pixels.bias\", \"pixels.weight\"; not in the model: "
            "\"decode.bias\", \"decode.weight\"; shapes differ: \"encode.bias\" (4 in the file, 5 in the model), "
            "\"encode.weight\" (4x3 in the file, 5x3 in the model)");
  CHECK(equal(values(other), before));
  Model wide(rng, 6);
  CHECK_THAT(failure(dir / "x", wide), ContainsSubstring("is not of this model: shapes differ: ") &&
                                           ContainsSubstring("\"decode.weight\" (3x4 in the file, 3x6 in the model)"));
}

TEST_CASE("a damaged file or one of a later format changes nothing") {
  const TemporaryDirectory dir;
  Rng rng(1);
  Model model(rng);
  const auto before = values(model);
  io::save(dir / "x", model);
  const std::string bytes = read_bytes(dir / "x");
  CHECK_THAT(failure(write_bytes(dir / "short", bytes.substr(0, bytes.size() - 1)), model),
             ContainsSubstring("truncated"));
  CHECK_THAT(failure(dir / "none", model), ContainsSubstring("cannot be opened: No such file or directory"));
  io::write_safetensors(dir / "later", {}, {{"format", "tapegrad"}, {"format_version", "2"}});
  CHECK_THAT(failure(dir / "later", model), ContainsSubstring("has format_version \"2\"; this tapegrad reads \"1\""));
  io::write_safetensors(dir / "run", {}, {{"format", "tapegrad checkpoint"}, {"format_version", "2"}});
  CHECK_THAT(failure(dir / "run", model),
             ContainsSubstring("run: is a checkpoint of a run; load it by io::Checkpoint"));
  CHECK(equal(values(model), before));
}

TEST_CASE("a file with NaN is not loaded") {
  const TemporaryDirectory dir;
  Rng rng(1);
  Model model(rng);
  const auto before = values(model);
  std::map<std::string, ConstTensorView> tensors;
  for (const auto& [name, parameter] : model.named_parameters()) tensors.emplace(name, parameter->value());
  const Tensor nan({4}, {1, 2, Scalar(NAN), Scalar(NAN)});
  tensors["encode.bias"] = nan;
  const Tensor other(Shape{4, 3}, Scalar(7));
  tensors["encode.weight"] = other;
  io::write_safetensors(dir / "x", tensors);
  CHECK(failure(dir / "x", model) ==
        (dir / "x").string() + ": has NaN as element 2 of \"encode.bias\"; nothing is loaded");
  CHECK(equal(values(model), before));
}

TEST_CASE("a module with NaN is not saved over the last file") {
  const TemporaryDirectory dir;
  Rng rng(1);
  Model model(rng);
  io::save(dir / "x", model);
  const std::string before = read_bytes(dir / "x");
  model.decode.bias.mutable_value()[1] = std::numeric_limits<Scalar>::quiet_NaN();
  CHECK_THROWS_WITH(io::save(dir / "x", model), "save: \"decode.bias\" has NaN as its element 1; nothing is saved");
  CHECK(read_bytes(dir / "x") == before);
}
