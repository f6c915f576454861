#include "tapegrad/data/batches.hpp"

#include <limits>
#include <numeric>
#include <set>

#include "catch.hpp"
#include "threads.hpp"

using namespace tapegrad;
using data::Binarize;

namespace {

/// `count` images of 3x3 pixels with levels of all kinds; the label is the number modulo 10, the first pixel the
/// number.
data::ImageDataset images(Index count) {
  std::vector<std::uint8_t> pixels, labels;
  for (Index i = 0; i < count; ++i) {
    labels.push_back(static_cast<std::uint8_t>(i % 10));
    for (Index j = 0; j < 9; ++j) pixels.push_back(static_cast<std::uint8_t>(j == 0 ? i : i * 31 + j * 77));
  }
  return {pixels, count, 3, 3, std::move(labels)};
}

/// `count` images as large as MNIST's.
data::ImageDataset digits(Index count) {
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(count) * 784);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * i / 7);
  return {pixels, count, 28, 28};
}

/// Everything that the batches of one epoch hold.
struct Epoch {
  std::vector<Index> indices, labels, sizes;
  std::vector<Scalar> numbers;
  friend bool operator==(const Epoch&, const Epoch&) = default;

  template <class Batch>
  void add(const Batch& batch) {
    indices.insert(indices.end(), batch.indices.begin(), batch.indices.end());
    labels.insert(labels.end(), batch.labels.begin(), batch.labels.end());
    sizes.push_back(batch.size());
    numbers.insert(numbers.end(), batch.images.span().begin(), batch.images.span().end());
  }
};

template <class Batches>
Epoch epoch(Batches&& batches) {
  Epoch seen;
  for (const auto& batch : batches) seen.add(batch);
  return seen;
}

std::vector<Index> count_to(Index n) {
  std::vector<Index> numbers(static_cast<std::size_t>(n));
  std::iota(numbers.begin(), numbers.end(), Index{0});
  return numbers;
}

template <class Set>
concept can_be_looped_over = requires(Set set) {
  data::batches(static_cast<Set&&>(set));
};
static_assert(can_be_looped_over<const data::ImageDataset&> && can_be_looped_over<data::TensorDataset&>);
static_assert(!can_be_looped_over<data::ImageDataset> && !can_be_looped_over<data::TensorDataset>, "it would dangle");

}  // namespace

TEST_CASE("batches come in order, the last with what is left") {
  const auto set = images(10);
  const Epoch seen = epoch(data::batches(set, {.size = 4}));
  CHECK(seen.sizes == std::vector<Index>{4, 4, 2});
  CHECK(seen.indices == count_to(10));
  CHECK(seen.labels == count_to(10));
  const Tensor all = set.tensor(0, 10);
  CHECK(std::equal(seen.numbers.begin(), seen.numbers.end(), all.data(), all.data() + all.size()));
}

TEST_CASE("a batch has its shape, its labels and its numbers") {
  const auto set = images(10);
  data::Batches batches(set, {.size = 4});
  const auto first = batches.begin();
  CHECK(first->images.shape() == Shape{4, 9});
  CHECK(first->size() == 4);
  CHECK((*first).labels.size() == 4);
  CHECK(batches.count() == 3);
}

TEST_CASE("drop_last leaves out a smaller last batch, and only that") {
  const auto set = images(10);
  CHECK(epoch(data::batches(set, {.size = 4, .drop_last = true})).sizes == std::vector<Index>{4, 4});
  CHECK(epoch(data::batches(set, {.size = 5, .drop_last = true})).sizes == std::vector<Index>{5, 5});
  CHECK(epoch(data::batches(set, {.size = 100})).sizes == std::vector<Index>{10});
  CHECK(epoch(data::batches(set, {.size = Index{1} << 60})).sizes == std::vector<Index>{10});
}

TEST_CASE("a shuffled epoch holds every sample once, with its own label and pixels") {
  const auto set = images(100);
  Rng rng(3);
  data::Batches batches(set, {.size = 7, .shuffle = &rng});
  const Epoch first = epoch(batches), second = epoch(batches);
  for (const Epoch& seen : {first, second}) {
    CHECK(seen.indices != count_to(100));
    CHECK(std::set(seen.indices.begin(), seen.indices.end()).size() == 100);
    for (std::size_t i = 0; i < 100; ++i) {
      CHECK(seen.labels[i] == seen.indices[i] % 10);
      CHECK(seen.numbers[9 * i] == set.tensor(seen.indices[i], 1)[0]);
    }
  }
  CHECK(first.indices != second.indices);
}

TEST_CASE("an epoch draws one key, and a loop made anew for each epoch sees what one that is kept sees") {
  const auto set = images(50);
  Rng one(17), two(17);
  data::Batches kept(set, {.size = 8, .shuffle = &one, .binarize = Binarize::bernoulli});
  for (int i = 0; i < 3; ++i)
    CHECK(epoch(kept) == epoch(data::batches(set, {.size = 8, .shuffle = &two, .binarize = Binarize::bernoulli})));
  CHECK(one.state() == two.state());
  Rng bits(17);
  for (int i = 0; i < 3; ++i) bits.bits();
  CHECK(one.state() == bits.state());
}

TEST_CASE("the noise of a shuffled loop is drawn with its order, from the Rng of that") {
  const auto set = images(20);
  Rng shuffle(5), noise(6);
  epoch(data::batches(set, {.size = 8, .shuffle = &shuffle, .binarize = Binarize::bernoulli, .noise = &noise}));
  CHECK(shuffle.state() != Rng(5).state());
  CHECK(noise.state() == Rng(6).state());
}

TEST_CASE("a loop in order draws nothing") {
  const auto set = images(5);
  Rng noise(1);
  epoch(data::batches(set, {.binarize = Binarize::threshold, .noise = &noise}));
  CHECK(noise.state() == Rng(1).state());
}

TEST_CASE("indices pick samples, shuffled or not") {
  const auto set = images(20);
  const std::vector<Index> picked{3, 19, 3, 0};
  CHECK(epoch(data::batches(set, {.size = 3, .indices = picked})).indices == picked);
  Rng rng(5);
  data::Batches batches(set, {.size = 3, .shuffle = &rng, .indices = picked});
  std::set<std::vector<Index>> orders;
  for (int i = 0; i < 20; ++i) {
    std::vector<Index> order = epoch(batches).indices;
    orders.insert(order);
    std::sort(order.begin(), order.end());
    CHECK(order == std::vector<Index>{0, 3, 3, 19});
  }
  CHECK(orders.size() > 5);
}

TEST_CASE("threshold: 1 above a half, else 0") {
  const data::ImageDataset set({0, 127, 128, 255}, 1, 2, 2);
  CHECK(epoch(data::batches(set, {.binarize = Binarize::threshold})).numbers == std::vector<Scalar>{0, 0, 1, 1});
  const data::TensorDataset half(Tensor({1, 3}, {0, Scalar(0.5), 1}));
  for (const auto& batch : data::batches(half, {.binarize = Binarize::threshold}))
    CHECK(same_bits(batch.inputs, Tensor({1, 3}, {0, 0, 1})));
}

TEST_CASE("Normalize(0.5, 0.5) makes [0, 1] exactly [-1, 1], after binarisation") {
  const data::ImageDataset set({0, 51, 128, 255}, 1, 2, 2);
  const Epoch grey = epoch(data::batches(set, {.normalize = {0.5, 0.5}}));
  CHECK(grey.numbers[0] == -1);
  CHECK(grey.numbers[1] == Approx(-0.6));
  CHECK(grey.numbers[3] == 1);
  const Epoch binary = epoch(data::batches(set, {.binarize = Binarize::threshold, .normalize = {0.5, 0.5}}));
  CHECK(binary.numbers == std::vector<Scalar>{-1, -1, 1, 1});
  const Epoch mnist = epoch(data::batches(set, {.normalize = {.mean = 0.1307, .std = 0.3081}}));
  CHECK(mnist.numbers[1] == Approx((0.2 - 0.1307) / 0.3081));
}

TEST_CASE("Bernoulli: ones come as often as the pixel says, never at 0, always at 255, and anew each epoch") {
  const Index count = 4000;
  const std::vector<std::uint8_t> levels{0, 255, 51, 128};
  std::vector<std::uint8_t> pixels;
  for (Index i = 0; i < count; ++i) pixels.insert(pixels.end(), levels.begin(), levels.end());
  const data::ImageDataset set(pixels, count, 2, 2);
  Rng rng(20240607);
  data::Batches batches(set, {.size = 64, .binarize = Binarize::bernoulli, .noise = &rng});
  const Epoch first = epoch(batches), second = epoch(batches);
  CHECK(first.indices == second.indices);
  CHECK(first.numbers != second.numbers);
  const auto all = Eigen::Map<const Eigen::Array<Scalar, 4, Eigen::Dynamic>>(first.numbers.data(), 4, count);
  CHECK(((all == 0) || (all == 1)).all());
  for (int j = 0; j < 4; ++j) {
    const double p = levels[static_cast<std::size_t>(j)] / 255.0;
    const double margin = 3.3 * std::sqrt(p * (1 - p) / static_cast<double>(count));
    CHECK(all.row(j).cast<double>().mean() == Approx(p).margin(margin));
  }
  // Neighbouring pixels and neighbouring images draw numbers of their own.
  CHECK((all.row(2) != all.row(3)).any());
  CHECK((all.row(3).head(count - 1) != all.row(3).tail(count - 1)).any());
}

TEST_CASE("the same bits for any number of threads") {
  const auto set = digits(200);
  for (Binarize binarize : {Binarize::none, Binarize::threshold, Binarize::bernoulli}) {
    std::vector<Epoch> seen;
    for (int threads : {1, 2, 3}) {
      const Threads guard(threads);
      Rng rng(9);
      seen.push_back(epoch(data::batches(set, {.size = 128, .shuffle = &rng, .binarize = binarize})));
    }
    CHECK(seen[0] == seen[1]);
    CHECK(seen[0] == seen[2]);
  }
}

TEST_CASE("each sample of an epoch has noise of its own") {
  const data::ImageDataset grey(std::vector<std::uint8_t>(50 * 784, 127), 50, 28, 28);
  Rng rng(9);
  std::set<std::vector<Scalar>> seen;
  for (const auto& batch : data::batches(grey, {.size = 1, .binarize = Binarize::bernoulli, .noise = &rng}))
    seen.emplace(batch.images.span().begin(), batch.images.span().end());
  CHECK(seen.size() == 50);
}

TEST_CASE("a sample's noise does not depend on the size of batches") {
  const auto set = digits(50);  // some shares of work to a large batch
  std::vector<std::vector<Scalar>> seen;
  for (Index size : {1, 7, 50}) {
    Rng rng(9);
    seen.push_back(epoch(data::batches(set, {.size = size, .shuffle = &rng, .binarize = Binarize::bernoulli})).numbers);
  }
  CHECK((seen[0] == seen[1]));
  CHECK((seen[0] == seen[2]));
}

TEST_CASE("a summary tells all options but .indices, and none that is not set") {
  Rng rng(9);
  CHECK(data::BatchOptions{.size = 13}.summary() == "13 a batch");
  CHECK(data::BatchOptions{.drop_last = true, .binarize = Binarize::threshold}.summary() ==
        "128 a batch, the rest dropped, binarised by a threshold");
  CHECK(data::BatchOptions{.shuffle = &rng, .binarize = Binarize::bernoulli}.summary() ==
        "128 a batch, shuffled, binarised by draws");
  CHECK(data::BatchOptions{.normalize = {.mean = 1}}.summary() == "128 a batch, normalised by mean 1, std 1");
  CHECK(data::BatchOptions{.normalize = {.std = 0.25}}.summary() == "128 a batch, normalised by mean 0, std 0.25");
}

TEST_CASE("a loop goes on in the middle of an epoch, on another object, without a draw") {
  const auto set = images(40);
  for (Index stop : {0, 1, 4, 6}) {
    Rng rng(23), later(99);
    Epoch whole, rest;
    data::BatchState saved;
    data::Batches batches(set, {.size = 7, .shuffle = &rng, .binarize = Binarize::bernoulli});
    for (const auto& batch : batches) {
      whole.add(batch);
      if (batches.state().next <= stop) rest.add(batch);
      if (batches.state().next == stop) saved = batches.state();
      if (stop == 0) saved = {batches.state().key, 0};
    }
    data::Batches resumed(set, {.size = 7, .shuffle = &later, .binarize = Binarize::bernoulli});
    resumed.restore(saved);
    for (const auto& batch : resumed) rest.add(batch);
    CHECK(rest == whole);
    CHECK(later.state() == Rng(99).state());
    CHECK(epoch(resumed).indices != whole.indices);  // the next epoch is a new one
  }
}

TEST_CASE("a loop within a loop over the same object is refused where it would end the outer one") {
  const auto set = images(10);
  data::Batches batches(set, {.size = 4});
  int outer = 0, inner = 0;
  const auto nested = [&] {
    for ([[maybe_unused]] const auto& batch : batches) {
      ++outer;
      for ([[maybe_unused]] const auto& other : batches) ++inner;
    }
  };
  CHECK_THROWS_WITH(nested(),
                    "batches: another loop over it began within this one, or restore(); one loop at a time: make a "
                    "second Batches, or leave this loop first");
  CHECK(outer == 1);
  CHECK(inner == 3);
  CHECK(epoch(batches).indices == count_to(10));
}

TEST_CASE("a loop that was left early does not disturb the next") {
  const auto set = images(10);
  data::Batches batches(set, {.size = 4});
  for ([[maybe_unused]] const auto& batch : batches) break;
  CHECK(epoch(batches).indices == count_to(10));
}

TEST_CASE("a state from before the first loop changes nothing") {
  const Eigen::MatrixXf x = Eigen::MatrixXf::Random(10, 1);
  const data::TensorDataset set(x);
  const auto order = [&](bool restored) {
    Rng rng(5);
    data::Batches batches(set, {.size = 4, .shuffle = &rng});
    if (restored) batches.restore(batches.state());
    std::vector<Index> indices;
    for (const auto& batch : batches) indices.insert(indices.end(), batch.indices.begin(), batch.indices.end());
    return indices;
  };
  CHECK(order(true) == order(false));
}

TEST_CASE("one's own tensors come in batches, with targets and labels") {
  const Eigen::MatrixXf x = Eigen::MatrixXf::Random(10, 3);
  const Eigen::MatrixXf y = 2 * x.leftCols(2);
  const data::TensorDataset set(x, y);
  Rng rng(1);
  for (const auto& batch : data::batches(set, {.size = 4, .shuffle = &rng})) {
    CHECK(batch.inputs.shape() == Shape{batch.size(), 3});
    CHECK(batch.targets.shape() == Shape{batch.size(), 2});
    CHECK(batch.labels.empty());
    for (Index i = 0; i < batch.size(); ++i) {
      CHECK(batch.inputs(i, 2) == Scalar(x(batch.indices[static_cast<std::size_t>(i)], 2)));
      CHECK(batch.targets(i, 1) == 2 * batch.inputs(i, 1));
    }
  }
  const data::TensorDataset labelled(x, std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  for (const auto& batch : data::batches(labelled, {.size = 4, .shuffle = &rng, .normalize = {1, 4}})) {
    CHECK(batch.targets.empty());
    for (std::size_t i = 0; i < batch.labels.size(); ++i) {
      CHECK(batch.labels[i] == batch.indices[i]);
      CHECK(batch.inputs(static_cast<Index>(i), 0) == Approx((x(batch.indices[i], 0) - 1) / 4));
    }
  }
}

TEST_CASE("one's own numbers come as they are, bit by bit") {
  const Tensor x({2, 3}, {Scalar(-0.0), Scalar(1e-40), 3, Scalar(-1e30), INFINITY, 6});
  const data::TensorDataset set(x);
  for (const auto& batch : data::batches(set, {.size = 2})) CHECK(same_bits(batch.inputs, x));
}

TEST_CASE("one's own numbers are normalised, also by a mean or a deviation alone") {
  const data::TensorDataset set(Tensor({1, 2}, {3, 5}));
  for (const auto& batch : data::batches(set, {.normalize = {1, 1}}))
    CHECK(same_bits(batch.inputs, Tensor({1, 2}, {2, 4})));
  for (const auto& batch : data::batches(set, {.normalize = {0, 2}}))
    CHECK(same_bits(batch.inputs, Tensor({1, 2}, {Scalar(1.5), Scalar(2.5)})));
}

TEST_CASE("inputs of more axes keep them") {
  const data::TensorDataset set(Tensor({5, 2, 3}, Scalar(0.75)), Tensor({5}, Scalar(2)));
  for (const auto& batch : data::batches(set, {.size = 2, .drop_last = true, .binarize = Binarize::threshold})) {
    CHECK(batch.inputs.shape() == Shape{2, 2, 3});
    CHECK((batch.inputs.array() == 1).all());
    CHECK(batch.targets.shape() == Shape{2, 1});
  }
}

TEST_CASE("what cannot be right is refused with words") {
  const auto set = images(10);
  const data::ImageDataset empty;
  const std::vector<Index> none, beyond{0, 10}, negative{-1};
  CHECK_THROWS_AS(data::batches(empty), ValueError);
  CHECK_THROWS_WITH(data::batches(empty), "batches: the data set is empty; there is nothing to loop over");
  CHECK_THROWS_WITH(data::batches(set, {.size = 0}), "batches: size = 0; a batch has at least 1 sample");
  CHECK_THROWS_WITH(data::batches(set, {.size = -5}), ContainsSubstring("size = -5"));
  CHECK_THROWS_WITH(data::batches(set, {.normalize = {0.5, 0}}), ContainsSubstring("std 0; both must be finite"));
  CHECK_THROWS_WITH(data::batches(set, {.normalize = {NAN, 1}}), ContainsSubstring("mean nan"));
  const double tiny = std::numeric_limits<Scalar>::min() * 2;
  for (const data::Normalize infinite :
       {data::Normalize{0, 1e-320}, {1e300, 1e-10}, {0, INFINITY}, {-7.1, tiny}, {8.2, tiny}})
    CHECK_THROWS_WITH(data::batches(set, {.normalize = infinite}), ContainsSubstring("what 0 and 1 become finite too"));
  CHECK_THROWS_WITH(data::batches(set, {.indices = none}), ContainsSubstring(".indices is empty"));
  CHECK_THROWS_WITH(data::batches(set, {.indices = beyond}),
                    "batches: indices[1] = 10; the data set has samples 0 to 9");
  CHECK_THROWS_WITH(data::batches(set, {.indices = negative}), ContainsSubstring("indices[0] = -1"));
  CHECK_THROWS_WITH(data::batches(set, {.size = 11, .drop_last = true}),
                    ContainsSubstring("drop_last with size = 11 leaves nothing of 10 samples"));
  CHECK_THROWS_WITH(data::batches(set, {.binarize = Binarize::bernoulli}), ContainsSubstring("has no Rng; set .noise"));
  data::Batches batches(set, {.size = 4});
  CHECK_THROWS_WITH(batches.restore({0, 4}), ContainsSubstring("restore at batch 4 of 3"));
  CHECK_THROWS_WITH(batches.restore({0, -1}), ContainsSubstring("restore at batch -1 of 3"));
  Rng rng(1);
  for (const Binarize binarize : {Binarize::threshold, Binarize::bernoulli}) {
    for (const int wrong : {2, -1}) {
      const data::TensorDataset wide(Tensor({3, 1}, {0, 1, static_cast<Scalar>(wrong)}));
      data::Batches binary(wide, {.binarize = binarize, .noise = &rng});
      CHECK_THROWS_WITH(binary.begin(),
                        ContainsSubstring("Binarize got " + std::to_string(wrong) + " in sample 2; it"));
      data::Batches pairs(wide, {.size = 2, .binarize = binarize, .noise = &rng});
      auto pair = pairs.begin();
      CHECK_THROWS_WITH(++pair, ContainsSubstring("Binarize got " + std::to_string(wrong) + " in sample 2; it"));
    }
  }
}

TEST_CASE("a loop within which a state was restored does not go on, and the next one does") {
  const auto set = images(10);
  Rng rng(3);
  data::Batches batches(set, {.size = 2, .shuffle = &rng});
  std::vector<std::vector<Index>> whole;
  data::BatchState state;
  for (const auto& batch : batches) {
    whole.emplace_back(batch.indices.begin(), batch.indices.end());
    if (whole.size() == 2) state = batches.state();
  }
  auto it = batches.begin();
  batches.restore(state);
  CHECK_THROWS_WITH(++it, ContainsSubstring("or restore(); one loop at a time"));
  std::size_t at = 2;
  for (const auto& batch : batches) {
    REQUIRE(at < whole.size());
    CHECK(std::equal(batch.indices.begin(), batch.indices.end(), whole[at].begin(), whole[at].end()));
    ++at;
  }
  CHECK(at == whole.size());
}

TEST_CASE("a loop in order goes on in the middle too, on another object") {
  const auto set = images(10);
  data::Batches saved(set, {.size = 4}), resumed(set, {.size = 4});
  auto it = saved.begin();
  ++it;
  resumed.restore(saved.state());
  CHECK(epoch(resumed).indices == std::vector<Index>{8, 9});
}

TEST_CASE("targets of more axes keep them, and are their sample's") {
  Tensor inputs({3, 1}), targets({3, 2, 2});
  std::iota(inputs.view().span().begin(), inputs.view().span().end(), Scalar(0));
  std::iota(targets.view().span().begin(), targets.view().span().end(), Scalar(0));
  const data::TensorDataset set(inputs, targets);
  for (const auto& batch : data::batches(set, {.size = 2})) {
    CHECK(batch.targets.shape() == Shape{batch.size(), 2, 2});
    for (Index i = 0; i < batch.targets.size(); ++i) CHECK(batch.targets[i] == 4 * batch.inputs[0] + Scalar(i));
  }
}

TEST_CASE("an epoch's noise is not of the numbers that its order is of") {
  const data::ImageDataset grey(std::vector<std::uint8_t>(784, 127), 1, 28, 28);
  Rng rng(9), same(9);
  const Epoch seen = epoch(data::batches(grey, {.shuffle = &rng, .binarize = Binarize::bernoulli}));
  Rng order(same.bits());  // that permutes; binarising from it would take one number a pixel
  Tensor uniform({1, 784});
  order.uniform(uniform);
  Index equal = 0;
  for (Index i = 0; i < 784; ++i)
    equal += (uniform[i] < Scalar(127) / 255) == (seen.numbers[static_cast<std::size_t>(i)] == 1);
  CHECK(equal < 500);
}
