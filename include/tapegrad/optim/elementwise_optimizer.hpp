#pragma once

#include <algorithm>
#include <limits>
#include <span>
#include <vector>

#include "../ops/blocks.hpp"
#include "optimizer.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::optim {

/// An optimizer that takes each number by itself: threads share the numbers of all parameters, and are forked once for
/// a step.
template <class Options>
class ElementwiseOptimizer : public GroupOptimizer<Options> {
 protected:
  using GroupOptimizer<Options>::GroupOptimizer;
  using Four = detail::Four;

  /// Adds a group with these options; throws as add_parameters does.
  void add(const std::vector<Parameter*>& parameters, const Options& options,
           std::span<const Optimizer::InitialBuffer> buffers) {
    parameters_.reserve(this->states().size() + parameters.size());  // so that a step allocates nothing
    GroupOptimizer<Options>::add(parameters, options, buffers);
  }

  /// The numbers `begin` to `end` of a parameter.
  struct Part {
    const ParameterState& state;
    double lr;
    const Scalar* g;  // its gradient, from the first number on
    Scalar* p;        // its value
    Index begin;
    Index end;
  };
  /// One step for those numbers. Several threads are at it at once.
  virtual void update_part(const Part& part) = 0;

  /// Numbers, but 0 where one is subnormal: each operation on a subnormal costs a hundred cycles, and moments that
  /// decay without a gradient would breed them.
  static TAPEGRAD_INLINE Four flushed(const Four& x) {
    return if_less(abs(x), Four::all(std::numeric_limits<Scalar>::min()), Four::zero(), x);
  }

  /// p -= lr direction, some numbers at a time: direction(i, n, slopes) is given the gradient with its weight decay, n
  /// numbers from number i on, in room that it may write to, and says where the direction of those is.
  static void descend(const Part& part, double weight_decay,
                      detail::FunctionRef<const Scalar*(Index i, Index n, Scalar* slopes)> direction) {
    const auto rate = static_cast<Scalar>(part.lr), decay = static_cast<Scalar>(weight_decay);
    const auto decayed = [=](const Four& slope, const Four& weight) { return slope + decay * weight; };
    const auto moved = [=](const Four& weight, const Four& step) { return weight - rate * step; };
    detail::Block slopes;
    detail::for_blocks(part.begin, part.end, [&](Index i, Index n) {
      Scalar* const p = part.p + i;
      detail::each(slopes.data, n, decayed, part.g + i, p);
      detail::each(p, n, moved, p, direction(i, n, slopes.data));
    });
  }

 private:
  void update(ParameterState& state, double lr) final {
    Parameter& parameter = *state.parameter;
    parameters_.push_back({state, lr, parameter.grad().data(), parameter.mutable_value().data(), 0, parameter.size()});
  }

  void finish_step() final {
    struct ClearAtEnd {  // also where an update throws: else the next step would do this one's again
      std::vector<Part>& parameters;
      ~ClearAtEnd() { parameters.clear(); }
    } const clear_at_end{parameters_};
    constexpr Index grain = detail::costly_chunk_size;
    const auto chunks_of = [](const Part& parameter) { return detail::divide_up(parameter.end, grain); };
    Index longest = 0, all = 0;
    for (const Part& parameter : parameters_) {
      longest = std::max(longest, chunks_of(parameter));
      all += chunks_of(parameter);
    }
    const int shares = static_cast<int>(std::min<Index>(num_threads(), longest));
    detail::parallel_region(shares, all, [&](int thread, int threads) {
      // Of each parameter a run, and not some parameters: so a thread has the rows of a weight whose gradient it wrote.
      for (const Part& parameter : parameters_) {
        const auto begin_of = [&](Index share) {
          return std::min(parameter.end, detail::divide_up(chunks_of(parameter) * share, Index{threads}) * grain);
        };
        Part part = parameter;
        part.begin = begin_of(thread);
        part.end = begin_of(thread + 1);
        if (part.begin < part.end) update_part(part);
      }
    });
  }

  std::vector<Part> parameters_;  // to be updated, whole ones
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::optim
