#include "optim/trace.hpp"
