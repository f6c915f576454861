#pragma once
// What can be known of a loss before anything is trained: the figures that a curve must come down to.

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <tapegrad/tapegrad.hpp>

namespace examples {

namespace tg = tapegrad;

/// Sums over the pixels of a data set, in double: grey, or binarised as those are that a loss is measured on.
class PixelStatistics {
 public:
  explicit PixelStatistics(const tg::data::ImageDataset& images, tg::data::Binarize binarize = tg::data::Binarize::none,
                           tg::Rng noise = tg::Rng(0))
      : images_(images.size()) {
    for (const auto& batch : tg::data::batches(images, {.size = 1000, .binarize = binarize, .noise = &noise})) {
      const Eigen::ArrayXXd pixels = batch.images.matrix().cast<double>().array();
      squares_ += pixels.square().sum();
      for (tg::Index i = 0; i < pixels.rows(); ++i) {
        const tg::Index label = batch.labels[static_cast<std::size_t>(i)];
        sums_.col(label) += pixels.row(i).transpose();
        ++counts_(label);
      }
      entropy_ += cross_entropy(pixels, pixels);
    }
  }

  /// The mean image: shape 784.
  Eigen::ArrayXd mean() const { return sums_.rowwise().sum() / images_; }
  /// How much a pixel varies from image to image: the root mean square over pixels.
  double standard_deviation() const {
    return std::sqrt(std::max(0.0, squares_ / images_ / 784 - mean().square().mean()));  // 0 may be rounded below
  }

  /// The mean loss of an output that is always `other`'s mean image. It is the floor of outputs that do not depend on
  /// the image, if `other` is this.
  double loss_of_mean_image(const PixelStatistics& other) const { return cross_entropy(mean(), other.mean()); }
  /// The same for the mean image of the right class.
  double loss_of_class_means(const PixelStatistics& other) const {
    double loss = 0;
    for (tg::Index label = 0; label < 10; ++label) {
      const double count = std::max(counts_(label), 1.0), seen = std::max(other.counts_(label), 1.0);
      loss += counts_(label) * cross_entropy(sums_.col(label) / count, other.sums_.col(label) / seen);
    }
    return loss / images_;
  }
  /// The mean loss of an output that is the image itself: not 0, as grey pixels are no sure things.
  double loss_of_perfection() const { return entropy_ / images_; }

 private:
  /// Of targets and outputs in [0, 1]; logs are held above -100, as in `bce` and PyTorch.
  static double cross_entropy(const Eigen::ArrayXXd& target, const Eigen::ArrayXXd& output) {
    return -(target * output.log().max(-100.0) + (1 - target) * (1 - output).log().max(-100.0)).sum();
  }

  int images_;
  Eigen::ArrayXXd sums_ = Eigen::ArrayXXd::Zero(784, 10);  // of each class
  Eigen::ArrayXd counts_ = Eigen::ArrayXd::Zero(10);
  double squares_ = 0;
  double entropy_ = 0;
};

/// The floors in nats per image, for summary.json; those of the test set are for outputs made of the training set.
inline nlohmann::json floors(const PixelStatistics& train, const PixelStatistics& test) {
  const auto both = [](double on_train, double on_test) {
    return nlohmann::json{{"train", on_train}, {"test", on_test}};
  };
  return {{"uniform", 784 * std::log(2.0)},
          {"mean_image", both(train.loss_of_mean_image(train), test.loss_of_mean_image(train))},
          {"class_means", both(train.loss_of_class_means(train), test.loss_of_class_means(train))},
          {"perfect", both(train.loss_of_perfection(), test.loss_of_perfection())}};
}

/// The floors on the screen, before training begins.
inline void print_floors(const nlohmann::json& floors) {
  std::printf("nats per image, train / test, of an output that is\n");
  std::printf("  one half at every pixel            %6.2f / %6.2f\n", floors["uniform"].get<double>(),
              floors["uniform"].get<double>());
  const auto line = [&](const char* what, const char* key) {
    std::printf("  %-33s  %6.2f / %6.2f\n", what, floors[key]["train"].get<double>(),
                floors[key]["test"].get<double>());
  };
  line("the mean image, whatever z is", "mean_image");
  line("the mean image of its class", "class_means");
  line("the image itself", "perfect");
}

}  // namespace examples
