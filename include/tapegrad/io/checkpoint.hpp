#pragma once
// All that a training run needs to go on as if it had never stopped, in one safetensors file.

#include <charconv>
#include <concepts>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "../data/batches.hpp"
#include "../nn/module.hpp"
#include "../optim/early_stopping.hpp"
#include "../optim/schedule.hpp"
#include "safetensors.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::io {

namespace detail {

/// Goes over what a checkpoint holds, part by part: to gather it for a file, to compare it with a file, or, once all of
/// it fits, to read it back. Tensors are tensors of the file, everything else is text in its metadata.
class CheckpointArchive {
 public:
  /// Gathers.
  CheckpointArchive() = default;
  /// Compares; after `require_fit()`, reads.
  CheckpointArchive(const Path& path, const Safetensors& file) : path_(&path), file_(&file) {}

  /// A tensor; `writable()` opens its memory for writing.
  template <class Writable>
  void tensor(const std::string& name, ConstTensorView value, const Writable& writable) {
    add(tensors_.emplace(name, value).second && !texts_.contains(name), name);
    if (!file_) return;
    const auto found = file_->tensors.find(name);
    if (found == file_->tensors.end()) {
      note(missing_, quoted(name));
    } else if (found->second.shape() != value.shape()) {
      note(misfits_,
           tapegrad::detail::concat(quoted(name), " is ", found->second.shape(), " there, ", value.shape(), " here"));
    } else if (reads_) {
      writable().copy_from(found->second);
    }
  }

  /// A number within [least, most], which NaN is not. Throws ValueError when one to be saved is not.
  template <class T>
  requires std::integral<T> || std::same_as<T, double>
  void number(const std::string& name, T& value, T least = std::numeric_limits<T>::lowest(),
              T most = std::numeric_limits<T>::max()) {
    number(name, value, least, most, [](T) {});
  }
  /// The same, where what is read must also be a number for which `check` does not throw a ValueError.
  template <class T, class Check>
  void number(const std::string& name, T& value, T least, T most, const Check& check) {
    if (!file_)
      tapegrad::detail::require<ValueError>(value >= least && value <= most, "checkpoint: ", quoted(name), " is ",
                                            value, ", a number from ", least, " to ", most,
                                            " is needed; nothing is saved");
    char text[32];
    const auto written = std::to_chars(text, text + sizeof text, value);
    const std::string* const found = entry(name, std::string(text, written.ptr));
    if (!found) return;
    T read{};
    const char* const end = found->data() + found->size();
    const auto [rest, error] = std::from_chars(found->data(), end, read);
    if (error != std::errc() || rest != end || !(read >= least && read <= most)) {
      note(misfits_, tapegrad::detail::concat(quoted(name), " is ", quoted(*found), ", a number from ", least, " to ",
                                              most, " is needed"));
      return;
    }
    try {
      check(read);
      if (reads_) value = read;
    } catch (const ValueError& refusal) {
      note(misfits_, tapegrad::detail::concat(quoted(name), " is ", quoted(*found), ": ", refusal.what()));
    }
  }

  /// Any text.
  void text(const std::string& name, std::string& value);
  /// A text that must be the same in the file.
  void same(const std::string& name, const std::string& value);

  /// Throws IoError that lists all that did not fit. What goes over the parts after it reads.
  void require_fit();

  bool reads() const { return reads_; }
  const std::map<std::string, ConstTensorView>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& texts() const { return texts_; }

 private:
  static void add(bool added, const std::string& name);
  static void note(std::string& list, const std::string& what, const char* separator = ", ");
  /// Keeps a text, and gives that of the file, or null.
  const std::string* entry(const std::string& name, const std::string& value);

  const Path* path_ = nullptr;
  const Safetensors* file_ = nullptr;
  bool reads_ = false;
  std::map<std::string, ConstTensorView> tensors_;
  std::map<std::string, std::string> texts_;
  std::string missing_, misfits_;
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
/// has the same bits as without the stop. Parts are held by address and must outlive the checkpoint.
class Checkpoint {
 public:
  /// Parameters, and the streams of random numbers of the module and of all below it (Dropout's).
  Checkpoint& add(const std::string& name, nn::Module& module) {
    return add_part([=, &module](Archive& archive) { visit(archive, name, module); });
  }
  /// A parameter that is no module's.
  Checkpoint& add(const std::string& name, Parameter& parameter) {
    return add_part([=, &parameter](Archive& archive) { visit(archive, name, parameter); });
  }
  /// Learning rates, and what the optimizer knows of each parameter. The parameters themselves are the module's.
  Checkpoint& add(const std::string& name, optim::Optimizer& optimizer) {
    return add_part([=, &optimizer](Archive& archive) { visit(archive, name, optimizer); });
  }
  /// How far it is. Add it after its optimizer.
  Checkpoint& add(const std::string& name, optim::Schedule& schedule) {
    return add_part([=, &schedule](Archive& archive) {
      Index steps = schedule.steps();
      archive.number(name + ".steps", steps, Index{0}, std::numeric_limits<Index>::max(),
                     [&](Index read) { schedule.check_steps(read); });
      if (archive.reads()) schedule.set_steps(steps);
    });
  }
  /// The best value so far, and how long ago it was.
  Checkpoint& add(const std::string& name, optim::EarlyStopping& stopping) {
    return add_part([=, &stopping](Archive& archive) {
      constexpr double infinity = std::numeric_limits<double>::infinity();
      double best = stopping.best();
      int since_best = stopping.since_best();
      archive.number(name + ".best", best, -infinity, infinity);
      archive.number(name + ".since_best", since_best, 0);
      if (archive.reads()) stopping.restore(best, since_best);
    });
  }
  /// Where the stream stands.
  Checkpoint& add(const std::string& name, Rng& rng) {
    return add_part([=, &rng](Archive& archive) { visit(archive, name, rng); });
  }
  /// Which batch of which epoch comes next. The data and their order's Rng are not in it; add the Rng.
  template <class Dataset>
  Checkpoint& add(const std::string& name, data::Batches<Dataset>& batches) {
    return add_part([=, &batches](Archive& archive) {
      data::BatchState state = batches.state();
      archive.number(name + ".key", state.key);
      archive.number(name + ".next", state.next, Index{0}, batches.count());
      if (archive.reads()) batches.restore(state);
    });
  }
  /// A number of the program's own: epoch, step, a sum of losses. One may be infinite (the least loss so far), but not
  /// NaN: a run that has come to that is of no use, and its last checkpoint may be.
  template <class T>
  requires(std::integral<T> && !std::same_as<T, bool>) || std::same_as<T, double> Checkpoint& add(
                                                              const std::string& name, T& number) {
    using Limits = std::numeric_limits<T>;
    constexpr T most = Limits::has_infinity ? Limits::infinity() : Limits::max();
    constexpr T least = Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
    return add_part([=, &number](Archive& archive) { archive.number(name, number, least, most); });
  }
  /// A text of the program's own, in UTF-8.
  Checkpoint& add(const std::string& name, std::string& text) {
    return add_part([=, &text](Archive& archive) { archive.text(name, text); });
  }
  /// What must be the same in the run that goes on: an option, say.
  Checkpoint& require_same(const std::string& name, const std::string& text) {
    return add_part([=](Archive& archive) { archive.same(name, text); });
  }

  /// Writes a file beside `path`, and puts it there when the disk has all of it: whatever happens meanwhile, `path` is
  /// the old file or the new one. Throws IoError if it cannot be written, ValueError if two parts have the same name or
  /// a number is NaN.
  void save(const Path& path) const;

  /// Puts everything back as it was saved. Throws IoError for a file that is damaged, of a newer version, or of a run
  /// with other parts, and lists all that does not fit; nothing has changed then.
  void load(const Path& path);

 private:
  using Archive = detail::CheckpointArchive;
  using Part = std::function<void(Archive&)>;

  Checkpoint& add_part(Part part) {
    parts_.push_back(std::move(part));
    return *this;
  }

  static void visit(Archive& archive, const std::string& name, Rng& rng);
  static void visit(Archive& archive, const std::string& name, Parameter& parameter);
  static void visit(Archive& archive, const std::string& name, nn::Module& module);
  static void visit_rngs(Archive& archive, const std::string& name, nn::Module& module);
  static void visit(Archive& archive, const std::string& name, optim::Optimizer& optimizer);

  std::vector<Part> parts_;
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::io

#ifndef TAPEGRAD_COMPILED
#include "bodies/checkpoint.hpp"
#endif
