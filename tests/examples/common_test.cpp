// What the example programs measure with, where the right answer is known.

#include "../../examples/common/code_schemes.hpp"
#include "../../examples/common/floors.hpp"
#include "../../examples/common/pictures.hpp"
#include "../../examples/common/posteriors.hpp"
#include "../../examples/common/rotation.hpp"
#include "../../examples/common/trace.hpp"
#include "catch.hpp"
#include "io/temporary.hpp"

using namespace tapegrad;

TEST_CASE("pairs of images stand one above the other, in a strip that is not full too") {
  const Tensor first({3, 1}, {1, 2, 3}), second({3, 1}, {10, 20, 30});
  CHECK(same_bits(examples::in_pairs(first, second, 2), Tensor({8, 1}, {1, 2, 10, 20, 3, 0, 30, 0})));
}

TEST_CASE("samples.npy has each of many samples once") {
  const TemporaryDirectory dir;
  examples::Options options;
  options.out = dir.path().string();
  options.samples_out = 2500;
  Index made = 0;
  examples::write_samples(options, [&](Index count) {
    Tensor images({count, 784});
    for (Index i = 0; i < count; ++i) images.matrix().row(i).setConstant(static_cast<Scalar>(made++));
    return images;
  });
  const Tensor all = io::load_npy(dir / "samples.npy");
  for (const Index i : {0, 999, 1000, 2499}) CHECK(all(i, 783) == static_cast<Scalar>(i));

  Rng rng(1);
  options.latent = 2;
  examples::Decoder decoder(rng, 2, 8);
  examples::write_samples(options, decoder, Rng(2));
  const Tensor drawn = io::load_npy(dir / "samples.npy");
  CHECK(drawn.matrix().row(0) != drawn.matrix().row(1000));
}

TEST_CASE("the manifold's codes: the normal distribution's quantiles, from the picture's top left") {
  const Scalar q = Scalar(0.67449);
  const Tensor expected({4, 2}, {-q, q, q, q, -q, -q, q, -q});
  CHECK((examples::manifold_codes(2).array() - expected.array()).abs().maxCoeff() < 1e-4);
}

TEST_CASE("the radius of a posterior is of all its axes") {
  const auto codes = examples::describe({Eigen::ArrayXXd::Zero(2, 4), Eigen::ArrayXXd::Constant(2, 4, std::log(0.64))});
  CHECK(codes["posterior_radius"].get<double>() == Approx(1.6));
}

TEST_CASE("the median of three numbers is the one between, not their mean") {
  Eigen::ArrayXXd numbers(1, 3);
  numbers << 9, 1, 2;
  CHECK(examples::median(numbers) == 2);
}

TEST_CASE("inverse_normal_cdf: the quantiles of every table") {
  CHECK(examples::inverse_normal_cdf(0.5) == Approx(0).margin(1e-9));
  CHECK(examples::inverse_normal_cdf(0.975) == Approx(1.959964));
  CHECK(examples::inverse_normal_cdf(0.1) == Approx(-1.281552));
}

TEST_CASE("floors: of two classes of two pixels, by hand") {
  // Pixel 0 is on in one image of two; in class 0 always, in class 1 never. All other pixels are black.
  std::vector<std::uint8_t> pixels(4 * 784);
  pixels[0] = pixels[2 * 784] = 255;
  const data::ImageDataset images(pixels, 4, 28, 28, {0, 1, 0, 1});
  const examples::PixelStatistics statistics(images);
  CHECK(statistics.mean()(0) == 0.5);
  CHECK(statistics.mean()(1) == 0);
  CHECK(statistics.standard_deviation() == Approx(std::sqrt(0.25 / 784)));
  CHECK(statistics.loss_of_mean_image(statistics) == Approx(std::log(2.0)));
  CHECK(statistics.loss_of_class_means(statistics) == Approx(0).margin(1e-12));
  CHECK(statistics.loss_of_perfection() == Approx(0).margin(1e-12));

  pixels[1] = 51;  // 0.2: its entropy is the loss of the image itself
  const examples::PixelStatistics grey(data::ImageDataset(pixels, 4, 28, 28, {0, 1, 0, 1}));
  CHECK(grey.loss_of_perfection() == Approx(-(0.2 * std::log(0.2) + 0.8 * std::log(0.8)) / 4));
  // A pixel that the other set never saw lit costs 100 where it is lit, as with PyTorch's clamp.
  CHECK(grey.loss_of_mean_image(statistics) == Approx(std::log(2.0) + 0.2 * 100 / 4));
}

TEST_CASE("floors: of pixels that are binarised, by the same noise as the batches that a loss is measured on") {
  const data::ImageDataset images(std::vector<std::uint8_t>(3000 * 784, 51), 3000, 28, 28,
                                  std::vector<std::uint8_t>(3000));
  const examples::PixelStatistics black(images, data::Binarize::threshold);
  CHECK(black.mean().maxCoeff() == 0);
  const examples::PixelStatistics drawn(images, data::Binarize::bernoulli, Rng(5));
  CHECK(drawn.loss_of_perfection() == Approx(0).margin(1e-12));
  Rng noise(5);
  Eigen::ArrayXd sums = Eigen::ArrayXd::Zero(784);
  for (const auto& batch : data::batches(images, {.size = 70, .binarize = data::Binarize::bernoulli, .noise = &noise}))
    sums += batch.images.matrix().cast<double>().colwise().sum().transpose().array();
  CHECK((drawn.mean() == sums / 3000).all());
}

TEST_CASE("rotated: by right angles, and not at all") {
  Tensor image({1, 784});
  image[5 * 28 + 20] = 1;  // row 5, column 20
  CHECK(same_bits(examples::rotated(image, 0), image));
  const Tensor quarter = examples::rotated(image, 90), half = examples::rotated(image, 180);
  CHECK(quarter(0, 7 * 28 + 5) == Approx(1).margin(1e-6));  // counterclockwise: up right goes up left
  CHECK(half(0, 22 * 28 + 7) == Approx(1).margin(1e-6));
  CHECK(examples::rotated(image, 10).array().sum() == Approx(1).margin(0.1));
}

TEST_CASE("rate: all of it is information for codes far apart, none for equal ones") {
  const auto log_var = [](Index images, double value) -> Eigen::ArrayXXd {
    return Eigen::ArrayXXd::Constant(images, 2, value);
  };
  Eigen::ArrayXXd mu(4, 2);
  mu << 10, 10, 10, -10, -10, 10, -10, -10;
  const auto apart = examples::rate({mu, log_var(4, -4)}, Rng(1));
  CHECK(apart["information"].get<double>() == Approx(std::log(4.0)));
  CHECK(apart["information_bound"].get<double>() == Approx(std::log(4.0)));
  CHECK(apart["kl"].get<double>() == Approx(100 + std::exp(-4.0) - 1 + 4));
  CHECK(apart["aggregate_kl"].get<double>() == Approx(apart["kl"].get<double>() - apart["information"].get<double>()));

  const auto equal = examples::rate({Eigen::ArrayXXd::Zero(4, 2), log_var(4, 0)}, Rng(1));
  CHECK(equal["information"].get<double>() == Approx(0).margin(1e-9));
  CHECK(equal["kl"].get<double>() == 0);
}

TEST_CASE("describe tells each code from all of them together") {
  Eigen::ArrayXXd mu(2, 1);
  mu << 0.6, -0.6;
  const auto codes = examples::describe({mu, Eigen::ArrayXXd::Constant(2, 1, std::log(0.64))});
  CHECK(codes["mean_of_mu"].get<double>() == Approx(0).margin(1e-12));
  CHECK(codes["mean_abs_mu"].get<double>() == Approx(0.6));
  CHECK(codes["aggregated_variance"].get<double>() == Approx(1));  // though no image's sigma is 1
  CHECK(codes["median_sigma"].get<double>() == Approx(0.8));
  CHECK(codes["kl"].get<double>() == Approx((0.36 + 0.64 - 1 - std::log(0.64)) / 2));
  CHECK(!examples::describe({mu, {}}).contains("kl"));
}

TEST_CASE("KLs are said from the largest, and those of many axes in short") {
  CHECK(examples::kl_from_the_largest({0.01, 3.2, 1}) == "3.20 1.00 0.01");
  CHECK(examples::kl_from_the_largest({1, 2, 3, 4, 5, 6, 7, 8}) == "8.00 7.00 6.00 5.00 4.00 3.00 2.00 1.00");
  CHECK(examples::kl_from_the_largest({0.5, 9, 2, 3, 4, 5, 6, 7, 8, 0.25}) ==
        "9.00 8.00 7.00 6.00 5.00 4.00 3.00 2.00, and 0.75 in the other 2");
}

TEST_CASE("in_a_plane finds the two widest directions") {
  Rng rng(3);
  Tensor noise({500, 3});
  rng.normal(noise);
  Eigen::ArrayXXd mu = noise.matrix().cast<double>().array();
  mu.col(0) *= 0.1;
  mu.col(1) *= 10;
  const Eigen::MatrixXd plane = examples::in_a_plane({mu, {}});
  REQUIRE(plane.cols() == 2);
  CHECK(std::sqrt(plane.col(0).squaredNorm() / 500) == Approx(10).epsilon(0.1));  // the widest comes first
  CHECK(std::sqrt(plane.col(1).squaredNorm() / 500) == Approx(1).epsilon(0.1));
}

TEST_CASE("log_likelihoods is -bce_with_logits of every pair") {
  Rng rng(4);
  Tensor images({3, 784}), logits({2, 784});
  rng.uniform(images);
  rng.normal(logits);
  Tape tape;
  const Var all = examples::log_likelihoods(tape.constant(images), tape.constant(logits));
  REQUIRE(all.shape() == Shape{3, 2});
  for (Index b = 0; b < 3; ++b) {
    for (Index k = 0; k < 2; ++k) {
      const Tensor image(images.matrix().row(b)), logit(logits.matrix().row(k));
      const double loss = bce_with_logits(tape.constant(logit), tape.constant(image)).item();
      CHECK(all.value()(b, k) == Approx(-loss).epsilon(1e-5));
    }
  }
}

TEST_CASE("whitened codes have mean 0 and covariance I, and make the same images") {
  Rng rng(5);
  examples::Decoder decoder(rng, 3, 16);
  examples::CodeTable table(200, 3, rng, 1);
  for (Parameter* code : table.parameters()) {
    auto z = code->mutable_value().array();
    z = 3 * z + 1;
    z(1) += z(0);
  }
  std::vector<Index> all(200);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<Index>(i);
  const auto codes = [&] {
    Tape tape;
    return Tensor(table(tape, all).value());
  };
  const Tensor before = decoder.images(codes());
  table.whiten(decoder);
  const Eigen::MatrixXd white = codes().matrix().cast<double>();
  CHECK(white.colwise().mean().norm() < 1e-5);
  CHECK((white.transpose() * white / 200 - Eigen::MatrixXd::Identity(3, 3)).norm() < 1e-5);
  CHECK((decoder.images(codes()).array() - before.array()).abs().maxCoeff() < 1e-5);
}

TEST_CASE("auto_decode finds the code that an image was made of, pulled a little to 0") {
  Rng rng(6);
  examples::Decoder decoder(rng, 2, 64);
  const Tensor codes({3, 2}, {1, -1, 0.5, 1, -1, -0.5});
  const Tensor images = decoder.images(codes);
  const Tensor found = examples::auto_decode(decoder, images, Tensor({3, 2}), 300);
  CHECK((found.array() - codes.array()).abs().maxCoeff() < 0.5);
  CHECK(decoder.parameters().front()->requires_grad());
  const Tensor nearest = examples::nearest_codes(decoder, 2, images, rng);
  CHECK((nearest.array() - codes.array()).abs().maxCoeff() < 0.5);
}

TEST_CASE("a trace refuses a batch of another size") {
  Rng rng(1);
  const nn::Linear model(rng, 1, 1);
  Tape tape;
  examples::Trace trace(2, model);
  trace.step({{"images", tape.constant(Tensor({4, 1}))}});
  CHECK_THROWS_WITH(trace.step({{"images", tape.constant(Tensor({2, 1}))}}),
                    "a trace needs whole batches; the images of an epoch must fill them, or take fewer steps");
}
