// expect: TAPEGRAD_SCALAR is float or double
#define TAPEGRAD_SCALAR int
#include <tapegrad/core/config.hpp>

int main() {}
