#include <dlib/dnn.h>

#include "autoencoder.hpp"

template <class Input>
using Autoencoder = dlib::loss_mean_squared_multioutput<
    dlib::fc<784, dlib::relu<dlib::fc<512, dlib::fc<32, dlib::relu<dlib::fc<512, Input>>>>>>>;

int main() {
  autoencoder::Turns turns;
  using Image = dlib::matrix<float>;
  std::vector<std::vector<Image>> batches(autoencoder::batches);
  int next = 0;
  for (const std::vector<float>& image : autoencoder::images())
    batches[next++ / autoencoder::batch].push_back(dlib::mat(image));

  using Net = Autoencoder<dlib::input<Image>>;
  Net net;
  dlib::dnn_trainer<Net, dlib::adam> trainer(net, dlib::adam(0, 0.9, 0.999));
  trainer.set_learning_rate(1e-3);

  for (int step = 0;; ++step) {
    const std::vector<Image>& x = batches[step % autoencoder::batches];
    trainer.train_one_step(x, x);  // on a thread of the trainer's
    turns.done([&] {
      trainer.get_net();
      return trainer.get_average_loss();
    });
  }
}
