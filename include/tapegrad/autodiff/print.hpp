#pragma once
// Vars and profiles as a person would want to see them.

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <ostream>
#include <string>
#include <vector>

#include "../core/print.hpp"
#include "tape.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

/// Shape, type, what made it, and the elements as a tensor's. Throws TapeError for a Var of an earlier pass.
///
///     Var scalar float, mse, requires grad: 0.25
inline std::ostream& operator<<(std::ostream& out, Var var) {
  detail::print(out,
                detail::concat("Var ", var.shape(), " ", detail::scalar_name, ", ", var.op(),
                               var.requires_grad() ? ", requires grad" : ""),
                var.value());
  return out;
}

/// What `Tape::profile()` gives as a table, the op that took longest first.
///
///     op                calls  forward ms  backward ms  share
///     linear                2       0.512        0.934   91 %
///     relu                  1       0.051        0.093    9 %
///     all                   3       0.563        1.027  100 %
inline std::string to_table(std::vector<OpProfile> profile) {
  OpProfile all{.name = "all"};
  for (const OpProfile& op : profile) {
    all.calls += op.calls;
    all.forward_seconds += op.forward_seconds;
    all.backward_seconds += op.backward_seconds;
  }
  const auto seconds = [](const OpProfile& op) { return op.forward_seconds + op.backward_seconds; };
  std::sort(profile.begin(), profile.end(), [&](const auto& a, const auto& b) { return seconds(a) > seconds(b); });
  profile.push_back(all);

  const auto fixed = [](double value, int decimals) {
    std::string text;
    detail::append_number(text, value, decimals, std::chars_format::fixed);
    return text;
  };
  std::string table = "op                calls  forward ms  backward ms  share\n";
  for (const OpProfile& op : profile) {
    const double share = seconds(all) > 0 ? seconds(op) / seconds(all) : 1;
    char line[160];
    std::snprintf(line, sizeof line, "%-16.80s %6lld  %10s  %11s  %3s %%\n", op.name, static_cast<long long>(op.calls),
                  fixed(1e3 * op.forward_seconds, 3).c_str(), fixed(1e3 * op.backward_seconds, 3).c_str(),
                  fixed(100 * share, 0).c_str());
    table += line;
  }
  return table;
}

}  // namespace tapegrad::inline TAPEGRAD_ABI
