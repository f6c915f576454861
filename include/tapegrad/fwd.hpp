#pragma once
// Forward declarations of the public types that headers name. Include this rather than declare them yourself: they live
// in an inline namespace whose name depends on how the file is compiled.

#include "core/config.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

class Error;
class ShapeError;
class ValueError;
class TapeError;
class AnomalyError;
class IoError;

class Shape;
class Tensor;
class TensorView;
class ConstTensorView;
class Rng;

class Tape;
class Var;
class Parameter;
class Gradient;

enum class Isa;

namespace nn {
class Module;
class Parameter;
class Layer;
class Linear;
class Sequential;
class LayerNorm;
class Dropout;
class ReLU;
class LeakyReLU;
class ELU;
class Sigmoid;
class Tanh;
class Softplus;
class SiLU;
class GELU;
class EMA;
class RunningMean;
class Accuracy;
class LogMeanExp;
}  // namespace nn

namespace optim {
class Optimizer;
class SGD;
class Adam;
class AdamW;
class RMSprop;
class Schedule;
class StepLR;
class ExponentialLR;
class CosineAnnealingLR;
class LinearLR;
class LambdaLR;
class SequentialLR;
class EarlyStopping;
}  // namespace optim

namespace data {
class ImageDataset;
class TensorDataset;
struct BatchState;
struct ImageBatch;
struct TensorBatch;
template <class Dataset>
class Batches;
}  // namespace data

namespace io {
class AtomicFile;
class Checkpoint;
struct Idx;
struct Mnist;
struct Safetensors;
}  // namespace io

}  // namespace tapegrad::inline TAPEGRAD_ABI
