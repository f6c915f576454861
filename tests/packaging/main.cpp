// A regression by a linear layer, as small as a user's first program: one Adam step makes the loss smaller.
#include <cstdio>
#include <tapegrad/tapegrad.hpp>
namespace tg = tapegrad;

int main() {
  tg::Rng rng(1);
  tg::nn::Linear model(rng, 3, 1);
  tg::optim::Adam adam(model.parameters(), {.lr = 0.01});
  tg::Tape tape;

  double losses[2];
  for (double& loss : losses) {
    tape.reset();
    tg::Rng same(2);
    tg::Var x = tape.randn({16, 3}, same);
    tg::Var y = tape.randn({16, 1}, same);
    tg::Var error = tg::mse(model(x), y);
    adam.zero_grad();
    error.backward();
    adam.step();
    loss = error.item();
  }
  std::printf("loss %.4f, then %.4f\n", losses[0], losses[1]);
  return losses[1] < losses[0] ? 0 : 1;
}
