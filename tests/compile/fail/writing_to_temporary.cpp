// expect: deleted function
#include <tapegrad/core/random.hpp>

void draw(tapegrad::Rng& rng) { rng.normal(tapegrad::Tensor({3})); }
