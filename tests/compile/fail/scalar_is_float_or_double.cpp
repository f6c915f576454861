// expect: TAPEGRAD_SCALAR is float or double
#define TAPEGRAD_SCALAR short
#include <tapegrad/core/config.hpp>

int main() {}
