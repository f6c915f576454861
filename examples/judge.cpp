// Judges the images that generative programs left in samples.npy, beside MNIST's test images. It sees them as
// `classifier` does, through its second hidden layer; the first images of the training set are judged in the same way,
// to show what perfect samples would get.
//
// Expect of the training images, with the classifier's defaults: a Frechet distance of about 1.4, precision 0.88,
// recall 0.86, own kind 0.55, class entropy 2.30 = ln 10. Distances depend on the classifier and on how many images
// there are: compare only what one run of this program printed.

#include "common/classifier.hpp"
#include "common/judging.hpp"
#include "common/mnist.hpp"
#include "common/report.hpp"

namespace tg = tapegrad;
using namespace examples;

namespace {

struct JudgeOptions {
  Options common;
  std::vector<std::string> samples;
  std::string classifier = "out/classifier/model.safetensors";
  int count = 10000;
  int neighbours = 3;
};

/// Loads a classifier of whatever width the file has.
std::unique_ptr<Classifier> load_classifier(const std::string& path) {
  const auto file = tg::io::read_safetensors(path);
  const auto output = file.tensors.find("output.weight");
  if (output == file.tensors.end()) throw std::runtime_error(path + ": is no model of the program classifier");
  tg::Rng rng(0);
  auto classifier = std::make_unique<Classifier>(rng, output->second.shape().cols(), 0.0);
  tg::io::load(path, *classifier);
  classifier->eval();
  return classifier;
}

/// What the classifier makes of images.
struct Seen {
  tg::Tensor features;
  Eigen::ArrayXd shares = Eigen::ArrayXd::Zero(10);  ///< of the images, taken for 0, 1, ... 9
};

Seen look(Classifier& classifier, tg::ConstTensorView images) {
  const tg::Index count = images.shape().rows(), at_a_time = 1000;
  Seen seen{tg::Tensor({count, classifier.second.out_features()})};
  tg::Tape tape;
  const auto guard = tape.no_grad();
  for (tg::Index first = 0; first < count; first += at_a_time) {
    tape.reset();
    const tg::Index rows = std::min(at_a_time, count - first);
    const tg::Var features = classifier.features(tape.borrow({images.data() + first * 784, {rows, 784}}));
    seen.features.matrix().middleRows(first, rows) = features.value().matrix();
    const tg::Var logits = classifier.output(features);
    for (tg::Index row = 0; row < rows; ++row) {
      tg::Index digit = 0;
      logits.value().matrix().row(row).maxCoeff(&digit);
      seen.shares[digit] += 1;
    }
  }
  seen.shares /= static_cast<double>(count);
  return seen;
}

/// The first `count` images of FOLDER/samples.npy, or of a .npy file itself.
tg::Tensor load_samples(const std::string& path, tg::Index count) {
  const bool is_file = std::filesystem::path(path).extension() == ".npy";
  const std::string file = is_file ? path : (std::filesystem::path(path) / "samples.npy").string();
  const tg::Tensor all = tg::io::load_npy(file);
  if (all.rank() != 2 || all.shape()[1] != 784 || all.shape()[0] < count)
    throw std::runtime_error(file + ": is " + all.shape().str() + "; it must be at least " + std::to_string(count) +
                             " images of 784 pixels (see --count)");
  const bool right = std::ranges::all_of(all.span(), [](tg::Scalar level) { return level >= 0 && level <= 1; });
  if (!right) throw std::runtime_error(file + ": holds numbers outside [0, 1], or NaN; pixels are 0 (black) to 1");
  return tg::Tensor(tg::ConstTensorView(all.data(), {count, 784}));
}

void judge(const JudgeOptions& options) {
  const auto mnist = begin(options.common);
  const int count = std::min({options.count, mnist.test.size(), mnist.train.size()});
  if (count <= options.neighbours) {
    const std::string k = std::to_string(options.neighbours);
    throw std::runtime_error("--neighbours " + k + " needs more than " + k + " images of each set; with --count " +
                             std::to_string(options.count) + " there are " + std::to_string(count));
  }
  const auto classifier = load_classifier(options.classifier);
  std::vector<tg::Tensor> sets;
  std::size_t width = std::string("training images").size();
  for (const std::string& path : options.samples) {
    sets.push_back(load_samples(path, count));
    width = std::max(width, path.size());
  }
  const Seen real = look(*classifier, mnist.test.tensor(0, count));
  const Normal normal_of_real(real.features);
  const Neighbours of_real = neighbours(real.features, options.neighbours);

  const auto name_width = static_cast<int>(width);
  if (!options.common.quiet)
    std::printf("%-*s  Frechet distance  precision  recall  own kind  class entropy\n", name_width, "");
  const auto verdict = [&](const std::string& name, const tg::Tensor& images) {
    const Seen made = look(*classifier, images);
    const double frechet = frechet_distance(normal_of_real, Normal(made.features));
    const auto [precision, recall, own_kind] =
        compare(real.features, of_real, made.features, neighbours(made.features, options.neighbours));
    if (!options.common.quiet) {
      std::printf("%-*s  %16.2f  %9.3f  %6.3f  %8.3f  %13.3f\n", name_width, name.c_str(), frechet, precision, recall,
                  own_kind, entropy(made.shares));
      std::fflush(stdout);
    }
    return nlohmann::json{{"frechet_distance", frechet},
                          {"precision", precision},
                          {"recall", recall},
                          {"own_kind", own_kind},
                          {"class_entropy", entropy(made.shares)},
                          {"class_shares", std::vector<double>(made.shares.begin(), made.shares.end())}};
  };
  const nlohmann::json zero = verdict("training images", mnist.train.tensor(0, count));
  nlohmann::json results;
  for (std::size_t i = 0; i < sets.size(); ++i) results[options.samples[i]] = verdict(options.samples[i], sets[i]);

  const nlohmann::json judged_with = {{"data", options.common.data},
                                      {"classifier", options.classifier},
                                      {"count", count},
                                      {"neighbours", options.neighbours}};
  write_summary(options.common, {{"options", judged_with}, {"training_images", zero}, {"samples", results}});
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Judges images that generative programs made, beside MNIST's test images.", "judge");
  JudgeOptions options;
  add_place(app, options.common);
  app.add_option("samples", options.samples, "folders of runs with a samples.npy, or .npy files")
      ->required()
      ->default_str("")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--classifier", options.classifier, "the model that the program classifier saved");
  app.add_option("--count", options.count, "images of each set to compare")->check(whole(2, 1000000));
  app.add_option("--neighbours", options.neighbours, "k of precision and recall")->check(whole(1, 1000));
  add_examples(app,
               {{"out/vae out/gan out/flow", "after these programs and classifier have run: a table of the three"}});
  return run_main(app, argc, argv, [&] { judge(options); });
}
