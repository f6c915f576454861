#include "tapegrad/fwd.hpp"

namespace tg = tapegrad;

namespace {

// What a user's own header may declare with fwd.hpp alone.
tg::Index size_of(const tg::Tensor& tensor, const tg::Shape& shape);
tg::Var twice(tg::Var x);
tg::Index size_of(const tg::nn::Module& module);
tg::Index size_of(const tg::nn::Linear& linear);
double rate_of(const tg::optim::Optimizer& optimizer);
tg::Index count_of(const tg::data::Batches<tg::data::TensorDataset>& batches);

}  // namespace

#include "catch.hpp"
#include "tapegrad/tapegrad.hpp"

namespace {

// All that it declares are types that the headers define (those of io.hpp, which is not included here, left out).
template <class... Types>
constexpr bool are_defined = (... && (sizeof(Types) > 0));
static_assert(are_defined<tg::Error, tg::ShapeError, tg::ValueError, tg::TapeError, tg::AnomalyError, tg::IoError>);
static_assert(are_defined<tg::Shape, tg::Tensor, tg::TensorView, tg::ConstTensorView, tg::Rng, tg::Tape, tg::Var,
                          tg::Parameter, tg::Gradient, tg::Isa>);
namespace nn = tg::nn;
static_assert(are_defined<nn::Module, nn::Parameter, nn::Layer, nn::Linear, nn::Sequential, nn::LayerNorm, nn::Dropout,
                          nn::ReLU, nn::LeakyReLU, nn::ELU, nn::Sigmoid, nn::Tanh, nn::Softplus, nn::SiLU, nn::GELU,
                          nn::EMA, nn::RunningMean, nn::Accuracy, nn::LogMeanExp>);
namespace optim = tg::optim;
static_assert(are_defined<optim::Optimizer, optim::SGD, optim::Adam, optim::AdamW, optim::RMSprop, optim::Schedule,
                          optim::StepLR, optim::ExponentialLR, optim::CosineAnnealingLR, optim::LinearLR,
                          optim::LambdaLR, optim::SequentialLR, optim::EarlyStopping>);
namespace data = tg::data;
static_assert(are_defined<data::ImageDataset, data::TensorDataset, data::ImageBatch, data::TensorBatch,
                          data::BatchState, data::Batches<data::TensorDataset>>);

tg::Index size_of(const tg::Tensor& tensor, const tg::Shape& shape) { return tensor.size() + shape.size(); }
tg::Var twice(tg::Var x) { return 2 * x; }
tg::Index size_of(const tg::nn::Module& module) { return static_cast<tg::Index>(module.parameters().size()); }
tg::Index size_of(const tg::nn::Linear& linear) { return linear.weight.size(); }
double rate_of(const tg::optim::Optimizer& optimizer) { return optimizer.lr(); }
tg::Index count_of(const tg::data::Batches<tg::data::TensorDataset>& batches) { return batches.count(); }

}  // namespace

TEST_CASE("forward declarations are of the types that the library defines") {
  tg::Rng rng(1);
  const tg::nn::Linear linear(rng, 3, 2);
  tg::Tape tape;
  CHECK(size_of(tg::Tensor({2, 2}), {3}) == 7);
  CHECK(twice(tape.constant(tg::Tensor({1}, {4}))).item() == 8);
  CHECK(size_of(static_cast<const tg::nn::Module&>(linear)) == 2);
  CHECK(size_of(linear) == 6);
  CHECK(rate_of(tg::optim::Adam(linear.parameters(), {.lr = 0.5})) == 0.5);
  const tg::data::TensorDataset samples(tg::Tensor({4, 1}));
  CHECK(count_of(tg::data::Batches(samples, {.size = 2})) == 2);
}
