// Checkpoints: a run that goes on with the same bits, and what does not fit it.
#include "tapegrad/io/checkpoint.hpp"

#include <limits>
#include <numeric>

#include "catch.hpp"
#include "equal.hpp"
#include "run.hpp"
#include "said.hpp"
#include "threads.hpp"
#include "torture.hpp"

using namespace tapegrad;
using Catch::Matchers::EndsWith;

namespace {

std::string failure(const io::Path& path, io::Checkpoint& checkpoint) {
  return said_by([&] { checkpoint.load(path); });
}

}  // namespace

TEST_CASE("a run that was stopped and resumed has the bits of one that was not") {
  const TemporaryDirectory dir;
  const auto images = training::images(100);  // seven batches an epoch, the last a short one
  Run whole(images);
  whole.train(3);
  REQUIRE(whole.steps == 21);

  std::vector<Index> stops{1, 6, 7, 8, 12, 21};
  if (times(0, 1)) {
    stops.resize(21);
    std::iota(stops.begin(), stops.end(), 1);
  }
  for (Index stop : stops) {
    INFO("stopped after step " << stop);
    Run stopped(images);
    stopped.train(3, stop);
    stopped.checkpoint.save(dir / "run.safetensors");
    stopped.train(3);  // what it does afterwards is not in the file

    Run resumed(images, 77);  // other weights, which the file replaces
    REQUIRE(!equal(resumed.state(), whole.state()));
    resumed.checkpoint.load(dir / "run.safetensors");
    CHECK(resumed.steps == stop);
    resumed.train(3);
    CHECK(equal(resumed.state(), whole.state()));
    CHECK(resumed.total == whole.total);
    CHECK(resumed.log == whole.log);
    CHECK(resumed.adam.lr() == whole.adam.lr());
    CHECK(resumed.noise.state() == whole.noise.state());
    CHECK(resumed.order.state() == whole.order.state());
    CHECK(resumed.model.dropout.rng().state() == whole.model.dropout.rng().state());
  }
  tell_tried("stopped and resumed " + std::to_string(stops.size()) + " times");
}

TEST_CASE("a long run that was stopped and resumed on other threads has the same bits") {
  const TemporaryDirectory dir;
  const auto images = training::images(600);
  Run whole(images), stopped(images), resumed(images, 77);
  const auto train_on = [](int threads, Run& run, Index last_step = -1) {
    const Threads guard(threads);
    run.train(8, last_step);
  };
  train_on(1, whole);
  REQUIRE(whole.steps == 304);
  train_on(3, stopped, 147);
  stopped.checkpoint.save(dir / "run.safetensors");
  resumed.checkpoint.load(dir / "run.safetensors");
  train_on(2, resumed);
  CHECK(equal(resumed.state(), whole.state()));
  CHECK(resumed.total == whole.total);
}

TEST_CASE("a save after the last batch belongs to that epoch until it is counted up") {
  const TemporaryDirectory dir;
  const auto images = training::images(40);
  Run whole(images), stopped(images), resumed(images, 77);
  whole.train(2);
  stopped.train(1);
  stopped.epoch = 0;  // as it was before the loop over epochs came to its end
  stopped.checkpoint.save(dir / "run");
  resumed.checkpoint.load(dir / "run");
  resumed.train(2);
  CHECK(resumed.steps == whole.steps);
  CHECK(equal(resumed.state(), whole.state()));
}

TEST_CASE("groups have their own rates after a resume too") {
  const TemporaryDirectory dir;
  Parameter a(Tensor({2})), b(Tensor({2}));
  optim::Adam adam({&a}, {.lr = 1e-3});
  adam.add_group({&b}, {.lr = 1e-4});
  io::Checkpoint checkpoint;
  checkpoint.add("adam", adam).save(dir / "run");
  adam.set_lr(1);
  checkpoint.load(dir / "run");
  CHECK(adam.lr(0) == 1e-3);
  CHECK(adam.lr(1) == 1e-4);
}

TEST_CASE("a checkpoint of a parameter that is no module's") {
  const TemporaryDirectory dir;
  Parameter code(Tensor({2}, {1, 2}));
  io::Checkpoint checkpoint;
  checkpoint.add("code", code).save(dir / "code");
  code.mutable_value().fill(7);
  checkpoint.load(dir / "code");
  CHECK(code.value()[0] == 1);
  CHECK(code.value()[1] == 2);
}

TEST_CASE("a checkpoint of a tensor and of numbers of the program's own") {
  const TemporaryDirectory dir;
  Tensor mean({2, 2}, {1, 2, 3, 4});
  const Tensor saved = mean;
  float rate = 0.1f;
  std::int8_t level = -3;
  io::Checkpoint checkpoint;
  checkpoint.add("mean", mean).add("rate", rate).add("level", level).save(dir / "run");
  mean.view().fill(7);
  rate = 0;
  level = 0;
  checkpoint.load(dir / "run");
  CHECK(same_bits(mean, saved));
  CHECK(rate == 0.1f);
  CHECK(level == -3);

  mean = Tensor({4});
  CHECK_THROWS_WITH(checkpoint.load(dir / "run"), EndsWith("\"mean\" is 2x2 there, 4 here"));
  CHECK(mean[0] == 0);
}

TEST_CASE("a checkpoint of a run that has not begun") {
  const TemporaryDirectory dir;
  const auto images = training::images(40);
  Run whole(images), resumed(images, 77);
  whole.checkpoint.save(dir / "start");
  whole.train(1);
  resumed.checkpoint.load(dir / "start");
  resumed.train(1);
  CHECK(equal(resumed.state(), whole.state()));
}

TEST_CASE("a frozen parameter keeps its own count of steps") {
  const TemporaryDirectory dir;
  const auto images = training::images(40);
  const auto frozen = [&](Run& run) -> Run& {
    run.model.encode.weight.set_requires_grad(false);
    return run;
  };
  Run saved(images), loaded(images);
  frozen(saved).train(1);
  saved.checkpoint.save(dir / "a");
  loaded.checkpoint.load(dir / "a");
  CHECK(loaded.adam.states()[0].steps == 0);
  CHECK(loaded.adam.states()[1].steps == 3);
}

TEST_CASE("what does not fit is refused, all of it at once, and nothing has changed") {
  const TemporaryDirectory dir;
  const auto images = training::images(40);
  Run run(images);
  run.train(1, 2);
  run.checkpoint.save(dir / "run");

  int one = 1, two = 2;
  double lr = 0.5;
  Rng rng(5);
  io::Checkpoint small;
  small.add("one", one).add("two", two).add("rng", rng).require_same("hidden", "200").require_same("depth", "2");
  small.save(dir / "small");
  io::Checkpoint other;
  int changed = 7;
  std::string words = "mine";
  other.add("one", changed).add("three", two).add("rng", lr).add("hidden", words).require_same("depth", "3");
  CHECK(failure(dir / "small", other) == (dir / "small").string() +
                                             ": is a checkpoint of another run: \"depth\" is \"2\" there, \"3\" here; "
                                             "it lacks \"three\", \"rng\"; it also has "
                                             "\"rng.counter\", \"rng.key\", \"two\"");
  CHECK(changed == 7);
  CHECK(words == "mine");
  CHECK(lr == 0.5);

  Tensor tensor({2});
  io::Checkpoint().add("one", one).add("tensor", tensor).save(dir / "more");
  io::Checkpoint less;
  CHECK_THAT(failure(dir / "more", less.add("one", one)), EndsWith(": it also has \"tensor\""));

  Rng draw(1);
  nn::Linear wide(draw, 3, 4), narrow(draw, 3, 2);
  io::Checkpoint().add("layer", wide).save(dir / "wide");
  io::Checkpoint to_narrow;
  const Tensor before(std::as_const(narrow.weight).value());
  CHECK_THAT(failure(dir / "wide", to_narrow.add("layer", narrow)),
             ContainsSubstring("\"layer.weight\" is 4x3 there, 2x3 here, \"layer.bias\" is 4 there, 2 here"));
  CHECK(same_bits(before, std::as_const(narrow.weight).value()));
}

TEST_CASE("of much that does not fit the first ten are named") {
  const TemporaryDirectory dir;
  std::vector<int> numbers(13);
  io::Checkpoint many, one;
  for (std::size_t i = 0; i < numbers.size(); ++i) many.add("n" + std::to_string(i), numbers[i]);
  one.add("n12", numbers[12]).save(dir / "one");
  CHECK_THAT(failure(dir / "one", many), ContainsSubstring("\"n9\" and 2 more") && !ContainsSubstring("n10"));
}

TEST_CASE("a run of other batches is another run, though there are as many") {
  const TemporaryDirectory dir;
  const auto images = training::images(40);
  const std::vector<Index> some{0, 1, 2, 3};
  Rng rng(1);
  const auto said = [&](const data::BatchOptions& options) {
    data::Batches saved(images, {.size = 13}), other(images, options);
    io::Checkpoint checkpoint, of_others;
    checkpoint.add("batches", saved).save(dir / "run");
    return failure(dir / "run", of_others.add("batches", other));
  };
  CHECK(said({.size = 13}) == "no error");
  CHECK_THAT(said({.size = 10}), ContainsSubstring("is a checkpoint of another run: \"batches.of\" is \"40 of 40 "
                                                   "samples, 13 a batch\" there, \"40 of 40 samples, 10 a batch\" "
                                                   "here"));
  CHECK_THAT(said({.size = 13, .shuffle = &rng}), ContainsSubstring("13 a batch, shuffled\" here"));
  CHECK_THAT(said({.size = 13, .drop_last = true}), ContainsSubstring("13 a batch, the rest dropped\" here"));
  CHECK_THAT(said({.size = 13, .indices = some}), ContainsSubstring("\"4 of 40 samples, 13 a batch\" here"));
  CHECK_THAT(said({.size = 13, .binarize = data::Binarize::threshold}),
             ContainsSubstring(", binarised by a threshold"));
  CHECK_THAT(said({.size = 13, .binarize = data::Binarize::bernoulli, .noise = &rng}),
             ContainsSubstring(", binarised by draws"));
  CHECK_THAT(said({.size = 13, .normalize = {0.5, 0.3081078038564622}}),
             ContainsSubstring(", normalised by mean 0.5, std 0.3081078038564622"));
  CHECK_THAT(said({.size = 13, .normalize = {.std = 2}}), ContainsSubstring(", normalised by mean 0, std 2"));
}

TEST_CASE("early stopping goes on with the patience that is left") {
  const TemporaryDirectory dir;
  optim::EarlyStopping saved({.patience = 2}), resumed({.patience = 2});
  io::Checkpoint to, from;
  to.add("stopping", saved);
  from.add("stopping", resumed);
  to.save(dir / "before the first value");
  from.load(dir / "before the first value");
  CHECK(resumed.best() == std::numeric_limits<double>::infinity());

  saved.improved(3);
  saved.improved(4);
  to.save(dir / "run");
  from.load(dir / "run");
  CHECK(resumed.best() == 3);
  CHECK_FALSE(resumed.should_stop());
  resumed.improved(5);
  CHECK(resumed.should_stop());
}

TEST_CASE("means go on with what they had in the middle of an epoch") {
  const TemporaryDirectory dir;
  nn::RunningMean saved, resumed;
  nn::Accuracy saved_accuracy, resumed_accuracy;
  io::Checkpoint to, from;
  to.add("loss", saved).add("accuracy", saved_accuracy.mean());
  from.add("loss", resumed).add("accuracy", resumed_accuracy.mean());
  const Tensor scores({2, 2}, {1, 0, 1, 0});
  saved.add(0.1, 3);
  saved_accuracy.add(scores, std::vector{0, 1});
  to.save(dir / "run");
  from.load(dir / "run");
  for (nn::RunningMean* mean : {&saved, &resumed}) mean->add(0.7, 2);
  CHECK(resumed.value() == saved.value());
  CHECK(resumed.weight() == 5);
  resumed_accuracy.add(scores, std::vector{0, 0});
  CHECK(resumed_accuracy.value() == 0.75);
}

TEST_CASE("parts with the same name, and names that the file itself has, are refused") {
  const TemporaryDirectory dir;
  int number = 1;
  CHECK_THROWS_WITH(io::Checkpoint().add("a", number).add("a", number).save(dir / "a"),
                    "checkpoint: the name \"a\" is there twice; each part has its own");
  Parameter parameter{Tensor({2})};
  CHECK_THROWS_WITH(io::Checkpoint().add("a", number).add("a", parameter).save(dir / "a"),
                    "checkpoint: the name \"a\" is there twice; each part has its own");
  CHECK_THROWS_WITH(io::Checkpoint().add("a", parameter).add("a", number).save(dir / "a"),
                    "checkpoint: the name \"a\" is there twice; each part has its own");
  Rng rng(1);
  CHECK_THROWS_WITH(io::Checkpoint().add("a", rng).add("a", number),
                    "checkpoint: the name \"a\" is there twice; each part has its own");
  Tensor tensor({2});  // called as one of the texts that an Rng makes
  CHECK_THROWS_WITH(io::Checkpoint().add("a.key", tensor).add("a", rng).save(dir / "a"),
                    "checkpoint: the name \"a.key\" is there twice; each part has its own");
  CHECK_THROWS_WITH(io::Checkpoint().add("a", rng).add("a.key", tensor).save(dir / "a"),
                    "checkpoint: the name \"a.key\" is there twice; each part has its own");
  CHECK_THROWS_WITH(io::Checkpoint().add("format", number).save(dir / "a"),
                    "checkpoint: a part is called format, which the file itself has; call it otherwise");
  CHECK_THROWS_WITH(io::Checkpoint().add("", number), "checkpoint: a part has the name \"\"; it must have one");
  CHECK_THROWS_WITH(io::Checkpoint().save(dir / "a"), "checkpoint: no part was added; there is nothing to save");
  CHECK(dir.count() == 0);
}

TEST_CASE(
    "checkpoints of versions 1 and 2 can be read, whose batches are counted at most; a newer one is refused by name") {
  const TemporaryDirectory dir;
  const auto file = [&](const std::string& metadata) {
    const std::string header = R"({"__metadata__":{)" + metadata + "}}";
    return write_bytes(dir / "file", little_endian(header.size(), 8) + header);
  };
  const std::string dtype = sizeof(Scalar) == 4 ? "\"F32\"" : "\"F64\"", format = R"("format":"tapegrad checkpoint")";
  const auto with = [&](const std::string& version, const std::string& rest) {
    return file(format + R"(,"format_version":")" + version + R"(","dtype":)" + dtype + rest);
  };
  Index step = 0;
  double lr = 0;
  std::uint64_t key = 0;
  const data::TensorDataset samples(Tensor({4, 1}));
  data::Batches batches(samples, {.size = 2});
  io::Checkpoint checkpoint;
  checkpoint.add("step", step).add("lr", lr).add("key", key).add("batches", batches);
  const std::string values =
      R"(,"step":"-12","lr":"0.1","key":"18446744073709551615","batches.key":"7","batches.next":"1")";
  checkpoint.load(with("1", values));
  CHECK(batches.state().next == 1);
  checkpoint.load(with("2", values + R"(,"batches.count":"2")"));
  CHECK(step == -12);
  CHECK(lr == 0.1);
  CHECK(key == ~std::uint64_t{0});

  const auto fails = [&](const io::Path& path, const std::string& words) {
    CHECK_THAT(failure(path, checkpoint), ContainsSubstring(words));
  };
  fails(with("2", values), "is a checkpoint of another run: it lacks \"batches.count\"");
  fails(with("2", values + R"(,"batches.count":"3")"), "\"batches.count\" is \"3\" there, \"2\" here");
  fails(with("3", values), "is a checkpoint of another run: it lacks \"batches.of\"");
  fails(with("4", values), R"(file: has format_version "4"; this tapegrad reads those up to 3)");
  fails(file(R"("format":"tapegrad","format_version":"1")"),
        "file: is a model's file, and no checkpoint of a run: io::load reads it");
  fails(file(""), R"(file: is no checkpoint of tapegrad: its format is "", not "tapegrad checkpoint")");
  fails(file(format + R"(,"format_version":"1","dtype":"F16")"), R"(was saved by a program of "F16"; this one is of )");
  for (const char* number : {"", "1.5", "x", "1 ", "99999999999999999999"})
    fails(with("1", R"(,"lr":"1","key":"1","step":")" + std::string(number) + "\""),
          "\"step\" is \"" + std::string(number) + "\", a number from");
  for (const char* number : {"nan", "1e999", "0x1p3"})
    fails(with("1", R"(,"step":"1","key":"1","lr":")" + std::string(number) + "\""), "\"lr\" is ");
  fails(with("1", R"(,"step":"1","lr":"1","key":"-1")"), R"("key" is "-1", a number from 0 to 18446744073709551615)");
  CHECK(step == -12);
}

TEST_CASE("in a checkpoint of version 1 optimizers have no name, and schedules no bases") {
  const TemporaryDirectory dir;
  Parameter weight(Tensor({2}));
  optim::SGD sgd({&weight}, {.lr = 1});
  optim::StepLR schedule(sgd, {.step_size = 1});
  schedule.step();
  io::Checkpoint checkpoint;
  checkpoint.add("sgd", sgd).add("schedule", schedule).save(dir / "run");
  io::Safetensors file = io::read_safetensors(dir / "run");
  file.metadata.at("format_version") = "1";
  REQUIRE(file.metadata.erase("sgd.optimizer") == 1);
  REQUIRE(file.metadata.erase("schedule.base.0") == 1);
  io::write_safetensors(dir / "old", {file.tensors.begin(), file.tensors.end()}, file.metadata);
  schedule.step();
  CHECK(failure(dir / "old", checkpoint) == "no error");
  CHECK(schedule.steps() == 1);
  CHECK(sgd.lr() == 0.1);
}

TEST_CASE("what a checkpoint may not be of is not saved, and what is infinite comes back") {
  const TemporaryDirectory dir;
  double best = std::numeric_limits<double>::infinity();
  io::Checkpoint checkpoint;
  checkpoint.add("best", best);
  checkpoint.save(dir / "run.safetensors");
  best = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH(checkpoint.save(dir / "run.safetensors"),
                    "checkpoint: \"best\" is nan, a number from -inf to inf is needed; nothing is saved");
  checkpoint.load(dir / "run.safetensors");
  CHECK(best == std::numeric_limits<double>::infinity());

  Parameter weight(Tensor({2}, {INFINITY, 1}));
  io::Checkpoint of_weight;
  of_weight.add("weight", weight).save(dir / "run.safetensors");
  weight.mutable_value()[1] = std::numeric_limits<Scalar>::quiet_NaN();
  CHECK_THROWS_WITH(of_weight.save(dir / "run.safetensors"),
                    "checkpoint: \"weight\" has NaN as its element 1; nothing is saved");
  of_weight.load(dir / "run.safetensors");
  CHECK(weight.value()[1] == 1);

  io::Safetensors file = io::read_safetensors(dir / "run.safetensors");
  file.tensors.at("weight")[0] = std::numeric_limits<Scalar>::quiet_NaN();
  io::write_safetensors(dir / "run.safetensors", {{"weight", file.tensor("weight")}}, file.metadata);
  CHECK_THROWS_WITH(of_weight.load(dir / "run.safetensors"),
                    ContainsSubstring("has NaN as element 0 of \"weight\"; nothing is loaded"));
  CHECK(weight.value()[0] == Scalar(INFINITY));
}

TEST_CASE("a warm-up goes on where it was, and beyond its milestone") {
  const TemporaryDirectory dir;
  struct Warm {
    Parameter weight{Tensor({2})};
    optim::SGD sgd{{&weight}, {.lr = 1}};
    optim::SequentialLR schedule{
        sgd,
        {optim::LinearLR::rate({.start_factor = 0.1, .total_iters = 3}), optim::CosineAnnealingLR::rate({.T_max = 4})},
        {.milestones = {3}}};
    io::Checkpoint checkpoint;
    Warm() { checkpoint.add("weight", weight).add("sgd", sgd).add("schedule", schedule); }
  };
  Warm stopped;
  stopped.schedule.step();
  stopped.checkpoint.save(dir / "run");
  Warm resumed;
  resumed.checkpoint.load(dir / "run");
  CHECK(resumed.sgd.lr() == stopped.sgd.lr());
  for (int step = 0; step < 4; ++step) {
    stopped.schedule.step();
    resumed.schedule.step();
    CHECK(resumed.sgd.lr() == stopped.sgd.lr());
  }
  CHECK(resumed.sgd.lr() == Approx(0.5));
}

TEST_CASE("a rate that was set by hand stays until the schedule's next step, and the bases are the first run's") {
  const TemporaryDirectory dir;
  struct Decaying {
    Parameter weight{Tensor({2})};
    optim::SGD sgd;
    optim::StepLR schedule{sgd, {.step_size = 2}};
    io::Checkpoint checkpoint;
    explicit Decaying(double lr) : sgd({&weight}, {.lr = lr}) {
      checkpoint.add("weight", weight).add("schedule", schedule).add("sgd", sgd);
    }
  };
  Decaying stopped(1), resumed(5);
  stopped.schedule.step();
  stopped.sgd.set_lr(0.3);
  stopped.checkpoint.save(dir / "run");
  resumed.checkpoint.load(dir / "run");
  CHECK(resumed.sgd.lr() == 0.3);
  resumed.schedule.step();
  CHECK(resumed.sgd.lr() == 0.1);
}

TEST_CASE("each group has its own base rate after a resume too") {
  const TemporaryDirectory dir;
  Parameter first(Tensor({1})), second(Tensor({1}));
  optim::SGD stopped({&first}, {.lr = 1}), resumed({&first}, {.lr = 1});
  stopped.add_group({&second}, {.lr = 2});
  resumed.add_group({&second}, {.lr = 3});
  optim::StepLR before(stopped, {.step_size = 1}), after(resumed, {.step_size = 1});
  io::Checkpoint to, from;
  to.add("schedule", before).save(dir / "run");
  from.add("schedule", after).load(dir / "run");
  CHECK(after.bases()[1] == 2);
}

TEST_CASE("a checkpoint tells one optimizer from another") {
  const TemporaryDirectory dir;
  Parameter weight(Tensor({2}));
  optim::Adam adam({&weight});
  optim::AdamW adamw({&weight});
  io::Checkpoint().add("optimizer", adam).save(dir / "run");
  CHECK_THROWS_WITH(io::Checkpoint().add("optimizer", adamw).load(dir / "run"),
                    EndsWith("\"optimizer.optimizer\" is \"adam\" there, \"adamw\" here"));
}

TEST_CASE("states that cannot be are refused before anything is changed") {
  const TemporaryDirectory dir;
  const auto images = training::images(40);
  Run run(images);
  run.train(1, 1);
  run.checkpoint.save(dir / "run");
  const auto damaged = [&](const std::string& name, const std::string& value) {
    io::Safetensors file = io::read_safetensors(dir / "run");
    file.metadata.at(name) = value;
    const std::map<std::string, ConstTensorView> tensors(file.tensors.begin(), file.tensors.end());
    io::write_safetensors(dir / "damaged", tensors, file.metadata);
    return failure(dir / "damaged", run.checkpoint);
  };
  const auto before = run.state();
  for (const std::string rate : {"-1", "1e309"})
    CHECK_THAT(damaged("adam.lr.0", rate), ContainsSubstring("\"adam.lr.0\" is \"" + rate + "\", a number from 0 to "));
  if (sizeof(Scalar) == sizeof(float))  // infinite as a float
    CHECK_THAT(damaged("adam.lr.0", "1e300"), ContainsSubstring("a number from 0 to 3.40282e+38 is needed"));
  CHECK_THAT(damaged("batches.next", "4"),
             ContainsSubstring("\"batches.next\" is \"4\", a number from 0 to 3 is needed"));
  CHECK_THAT(damaged("schedule.steps", "-1"), ContainsSubstring("\"schedule.steps\""));
  CHECK_THAT(damaged("adam.0.steps", "-1"), ContainsSubstring("\"adam.0.steps\""));
  for (const std::string counter : {"schedule.steps", "adam.0.steps"})  // the next step would be beyond all numbers
    CHECK_THAT(damaged(counter, "9223372036854775807"),
               ContainsSubstring("\"" + counter + "\" is \"9223372036854775807"));
  optim::LambdaLR falling(run.adam, [](Index steps) { return 1 - 0.1 * static_cast<double>(steps); });
  run.checkpoint.add("falling", falling);
  run.checkpoint.save(dir / "run");
  CHECK_THAT(damaged("falling.steps", "20"),
             ContainsSubstring("\"falling.steps\" is \"20\": schedule: after 20 steps: adam: lr = ") &&
                 ContainsSubstring("not negative"));
  CHECK(equal(run.state(), before));
  CHECK(run.adam.lr() == Approx(0.97e-3));
}

TEST_CASE("the streams of modules far below are in a checkpoint too") {
  const TemporaryDirectory dir;
  Rng rng(1);
  nn::Module root(rng), child(root, "child"), grandchild(child, "grandchild");
  io::Checkpoint checkpoint;
  checkpoint.add("model", root).save(dir / "run");
  const Rng::State before = grandchild.rng().state();
  grandchild.rng().bits();
  checkpoint.load(dir / "run");
  CHECK(grandchild.rng().state() == before);
}

TEST_CASE("whether steps can be is asked of the bases in the file") {
  const TemporaryDirectory dir;
  Parameter weight(Tensor({1}));
  optim::SGD steep({&weight}, {.lr = 1}), flat({&weight}, {.lr = 0});
  const auto falling = [](double base, Index steps) { return base * (1 - static_cast<double>(steps)); };
  optim::Schedule saved(steep, falling), other(flat, falling);
  io::Checkpoint to, from;
  to.add("schedule", saved).save(dir / "run");
  io::Safetensors file = io::read_safetensors(dir / "run");
  file.metadata.at("schedule.steps") = "2";
  io::write_safetensors(dir / "run", {}, file.metadata);
  from.add("schedule", other);
  CHECK_THAT(failure(dir / "run", from), ContainsSubstring("\"schedule.steps\" is \"2\": schedule: after 2 steps"));
}
