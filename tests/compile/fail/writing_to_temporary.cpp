// expect: Rng::normal|cannot convert|no matching function|no known conversion
#include <tapegrad/core/random.hpp>

void draw(tapegrad::Rng& rng) { rng.normal(tapegrad::Tensor({3})); }
