#pragma once

#include "config.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::detail {

/// A callable that lives elsewhere, at least as long. What takes one need not be a template, and is compiled once.
template <class Signature>
class FunctionRef;

template <class Result, class... Args>
class FunctionRef<Result(Args...)> {
 public:
  template <class Function>
  FunctionRef(const Function& function)
      : function_(&function), call_([](const void* callee, Args... args) -> Result {
          return (*static_cast<const Function*>(callee))(args...);
        }) {}

  Result operator()(Args... args) const { return call_(function_, args...); }

 private:
  const void* function_;
  Result (*call_)(const void*, Args...);
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::detail
