#pragma once
// All that a training run needs to go on as if it had never stopped, in one safetensors file.

#include <charconv>
#include <concepts>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#if defined(_LIBCPP_VERSION) && _LIBCPP_VERSION < 200000
#error "tapegrad: checkpoints need libstdc++ or libc++ 20, for std::from_chars of double"
#include "the error above"
#endif

#include "../core/concepts.hpp"
#include "../data/batches.hpp"
#include "../nn/metrics.hpp"
#include "../nn/module.hpp"
#include "../optim/early_stopping.hpp"
#include "../optim/schedule.hpp"
#include "safetensors.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::io {

namespace detail {

/// A file's format_version. In files of version 1 optimizers have no name and schedules no bases; until version 3, all
/// that they say of batches is how many there are, or nothing.
inline constexpr int checkpoint_version = 3;

/// Goes over what a checkpoint holds, part by part: to gather it for a file, or to compare it with a file and remember
/// what is to be done once all of it fits. Tensors are tensors of the file, everything else is text in its metadata.
class CheckpointArchive {
 public:
  /// Gathers.
  CheckpointArchive() = default;
  /// Compares with a file of that version.
  CheckpointArchive(const Path& path, const Safetensors& file, int version)
      : path_(&path), file_(&file), version_(version) {}
  int version() const { return version_; }

  /// A tensor; `writable()` opens its memory for writing. Throws ValueError when one to be saved holds NaN.
  template <class Writable>
  void tensor(const std::string& name, ConstTensorView value, const Writable& writable) {
    if (const Tensor* const found = entry(name, value))
      once_all_fits([writable, found] { writable().copy_from(*found); });
  }

  /// A number within [least, most], which NaN is not: that of the file, or `value` if there is none that fits. Throws
  /// ValueError when one to be saved is not.
  template <Arithmetic T>
  T number(const std::string& name, T value, T least = std::numeric_limits<T>::lowest(),
           T most = std::numeric_limits<T>::max()) {
    return number(name, value, least, most, [](T) {});
  }
  /// The same, where what is read must also be a number for which `check` does not throw a ValueError.
  template <class T, class Check>
  T number(const std::string& name, T value, T least, T most, const Check& check) {
    if (!file_)
      tapegrad::detail::require<ValueError>(value >= least && value <= most, "checkpoint: ", quoted(name), " is ",
                                            value, ", a number from ", least, " to ", most,
                                            " is needed; nothing is saved");
    char text[32];
    const auto written = std::to_chars(text, text + sizeof text, value);
    const std::string* const found = entry(name, std::string(text, written.ptr));
    if (!found) return value;
    T read{};
    const char* const end = found->data() + found->size();
    const auto [rest, error] = std::from_chars(found->data(), end, read);
    if (error != std::errc() || rest != end || !(read >= least && read <= most)) {
      misfits_.add(tapegrad::detail::concat(quoted(name), " is ", quoted(*found), ", a number from ", least, " to ",
                                            most, " is needed"));
      return value;
    }
    try {
      check(read);
    } catch (const ValueError& refusal) {
      misfits_.add(tapegrad::detail::concat(quoted(name), " is ", quoted(*found), ": ", refusal.what()));
    }
    return read;
  }
  /// What is counted up, by one at a time, and never reaches its type's limit.
  template <std::integral T>
  T count(const std::string& name, T value) {
    return number(name, value, T{0}, most_counted<T>);
  }
  template <std::integral T>
  static constexpr T most_counted = std::numeric_limits<T>::max() / 2;

  /// Any text.
  void text(const std::string& name, std::string& value);
  /// A text that must be the same in the file.
  void same(const std::string& name, const std::string& value);

  /// What puts back what was read. Nothing of it may fail.
  void once_all_fits(std::function<void()> restore) {
    if (file_) restores_.push_back(std::move(restore));
  }
  /// Puts all of it back, or throws an IoError that lists what does not fit.
  void restore();

  const std::map<std::string, ConstTensorView>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& texts() const { return texts_; }

  /// Throws ValueError unless a name was new.
  static void add(bool added, const std::string& name);

 private:
  /// Keeps a tensor or a text, and gives that of the file, or null where there is none that fits.
  const Tensor* entry(const std::string& name, ConstTensorView value);
  const std::string* entry(const std::string& name, const std::string& value);

  const Path* path_ = nullptr;
  const Safetensors* file_ = nullptr;
  int version_ = checkpoint_version;
  std::map<std::string, ConstTensorView> tensors_;
  std::map<std::string, std::string> texts_;
  tapegrad::detail::Listing missing_, misfits_;
  std::vector<std::function<void()>> restores_;
};

}  // namespace detail

/// The state of a training run: say once what it consists of, then save it and load it as often as you like.
///
///   io::Checkpoint checkpoint;
///   checkpoint.add("model", model).add("adam", adam).add("noise", rng).add("batches", batches).add("epoch", epoch);
///   if (resume) checkpoint.load(path);
///   for (; epoch <= epochs; ++epoch)
///     for (const auto& batch : batches) { ...; checkpoint.save(path); }
///
/// Save within the loop over batches, after a step: the resumed loop goes on with the next batch, and everything after
/// has the same bits as without the stop. A save after that loop belongs to the epoch that it ends: with `epoch`
/// counted up already, the run that goes on would take the next epoch for done. Parts are held by address and must
/// outlive the checkpoint. Adding a second part of a name, or one without, throws ValueError.
///
/// Not in it: gradients, and what a model's requires_grad() and training() say; the program sets them as it did.
class Checkpoint {
 public:
  /// Parameters, and the streams of random numbers of the module and of all below it (Dropout's).
  Checkpoint& add(const std::string& name, nn::Module& module) {
    return add_part(name, [=, &module](Archive& archive) { visit(archive, name, module); });
  }
  /// A parameter that is no module's.
  Checkpoint& add(const std::string& name, Parameter& parameter) {
    return add_part(name, [=, &parameter](Archive& archive) { visit(archive, name, parameter); });
  }
  /// A tensor of the program's own: running means, a replay buffer. Its shape must be the same in the run that goes on.
  Checkpoint& add(const std::string& name, Tensor& tensor) {
    return add_part(
        name, [=, &tensor](Archive& archive) { archive.tensor(name, tensor, [&tensor] { return tensor.view(); }); });
  }
  /// Which optimizer it is, learning rates, and what it knows of each parameter. The parameters themselves are the
  /// module's. Its other options are the program's: `require_same` tells of those that changed.
  Checkpoint& add(const std::string& name, optim::Optimizer& optimizer) {
    return add_part(name, [=, &optimizer](Archive& archive) { visit(archive, name, optimizer); });
  }
  /// How far it is, and the rates that it began with. The rate of now is the optimizer's; which schedule it is, with
  /// which options, is the program's: `require_same` tells of another.
  Checkpoint& add(const std::string& name, optim::Schedule& schedule) {
    return add_part(name, [=, &schedule](Archive& archive) {
      std::vector<double> bases(schedule.bases().begin(), schedule.bases().end());
      if (archive.version() >= 2)
        for (std::size_t group = 0; group < bases.size(); ++group)
          bases[group] = rate(archive, tapegrad::detail::concat(name, ".base.", group), bases[group]);
      const Index steps = archive.number(name + ".steps", schedule.steps(), Index{0}, Archive::most_counted<Index>,
                                         [&](Index read) { schedule.check_steps(read, bases); });
      archive.once_all_fits([&schedule, steps, bases] { schedule.restore(steps, bases); });
    });
  }
  /// The best value so far, and how long ago it was.
  Checkpoint& add(const std::string& name, optim::EarlyStopping& stopping) {
    return add_part(name, [=, &stopping](Archive& archive) {
      constexpr double infinity = std::numeric_limits<double>::infinity();
      const double best = archive.number(name + ".best", stopping.best(), -infinity, infinity);
      const int since_best = archive.count(name + ".since_best", stopping.since_best());
      archive.once_all_fits([&stopping, best, since_best] { stopping.restore(best, since_best); });
    });
  }
  /// What was added up so far, in the middle of an epoch; of an Accuracy, its `mean()`.
  Checkpoint& add(const std::string& name, nn::RunningMean& mean) {
    return add_part(name, [=, &mean](Archive& archive) {
      constexpr double infinity = std::numeric_limits<double>::infinity();
      const double total = archive.number(name + ".total", mean.total(), -infinity, infinity);
      const double weight = archive.number(name + ".weight", mean.weight(), 0.0, std::numeric_limits<double>::max());
      archive.once_all_fits([&mean, total, weight] { mean.restore(total, weight); });
    });
  }
  /// Where the stream stands.
  Checkpoint& add(const std::string& name, Rng& rng) {
    return add_part(name, [=, &rng](Archive& archive) { visit(archive, name, rng); });
  }
  /// Which batch of which epoch comes next, and what they are batches of, which must be the same: how many samples, in
  /// batches of how many, shuffled or not, ... The data and their order's Rng are not in it; add the Rng.
  template <class Dataset>
  Checkpoint& add(const std::string& name, data::Batches<Dataset>& batches) {
    return add_part(name, [=, &batches](Archive& archive) {
      if (archive.version() >= 3)
        archive.same(name + ".of", batches.summary());
      else if (archive.version() == 2)
        archive.same(name + ".count", std::to_string(batches.count()));
      const data::BatchState now = batches.state();
      const data::BatchState state{archive.number(name + ".key", now.key),
                                   archive.number(name + ".next", now.next, Index{0}, batches.count())};
      archive.once_all_fits([&batches, state] { batches.restore(state); });
    });
  }
  /// A number of the program's own: epoch, step, a sum of losses. One may be infinite (the least loss so far), but not
  /// NaN: a run that has come to that is of no use, and its last checkpoint may be.
  template <Arithmetic T>
  requires(!std::same_as<T, bool>) Checkpoint& add(const std::string& name, T& number) {
    using Limits = std::numeric_limits<T>;
    constexpr T most = Limits::has_infinity ? Limits::infinity() : Limits::max();
    constexpr T least = Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
    return add_part(name, [=, &number](Archive& archive) {
      archive.once_all_fits([&number, read = archive.number(name, number, least, most)] { number = read; });
    });
  }
  /// A text of the program's own, in UTF-8.
  Checkpoint& add(const std::string& name, std::string& text) {
    return add_part(name, [=, &text](Archive& archive) { archive.text(name, text); });
  }
  /// What must be the same in the run that goes on: an option, say.
  Checkpoint& require_same(const std::string& name, const std::string& text) {
    return add_part(name, [=](Archive& archive) { archive.same(name, text); });
  }

  /// Writes a file beside `path`, and puts it there when the disk has all of it: whatever happens meanwhile, `path` is
  /// the old file or the new one. Throws IoError if it cannot be written, ValueError if something in two parts has the
  /// same name, a name or text is not UTF-8, a number or an element of a tensor is NaN, or there are no parts: nothing
  /// is saved then.
  void save(const Path& path) const;

  /// Puts everything back as it was saved. Throws IoError for a file that is damaged, of a newer version, or of a run
  /// with other parts, and lists what does not fit; ValueError if something in two parts has the same name. Whatever it
  /// throws, nothing has changed then. A loop over batches that it has put back cannot go on: begin another.
  void load(const Path& path);

 private:
  using Archive = detail::CheckpointArchive;
  using Part = std::function<void(Archive&)>;

  Checkpoint& add_part(const std::string& name, Part part) {
    Archive::add(names_.insert(name).second, name);
    parts_.push_back(std::move(part));
    return *this;
  }

  static void visit(Archive& archive, const std::string& name, Rng& rng);
  static void visit(Archive& archive, const std::string& name, Parameter& parameter);
  static void visit(Archive& archive, const std::string& name, nn::Module& module);
  static void visit_rngs(Archive& archive, const std::string& name, nn::Module& module);
  static void visit(Archive& archive, const std::string& name, optim::Optimizer& optimizer);

  static double rate(Archive& archive, const std::string& name, double lr) {
    return archive.number(name, lr, 0.0, double{std::numeric_limits<Scalar>::max()});
  }

  std::set<std::string> names_;
  std::vector<Part> parts_;
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::io

#ifndef TAPEGRAD_COMPILED
#include "bodies/checkpoint.hpp"
#endif
