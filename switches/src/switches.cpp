// The few switches and questions of libtorch that tch does not pass on: precision, determinism, a GPU's memory, random
// generators.
// Each answers whether it could be done; no exception leaves this file.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/util/env.h>

namespace {

constexpr const char* CUBLAS_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG";

template <typename Work>
bool done(Work work) noexcept {
  try {
    work();
    return true;
  } catch (...) {
    return false;
  }
}

// libtorch refuses cuBLAS under determinism unless its workspaces have one of two forms. It looks when the first
// matrices are multiplied, and cuBLAS when its handle is made: both later than this.
void fix_cublas_workspace() {
  const auto set = c10::utils::get_env(CUBLAS_WORKSPACE);
  if (set != ":4096:8" && set != ":16:8") {
    c10::utils::set_env(CUBLAS_WORKSPACE, ":4096:8");
  }
}

// The process-wide generator of a GPU, or of the CPU below index 0. libtorch returns a constant reference to a variable
// that is not constant.
at::Generator& default_generator(int index) {
  const at::Device device = index < 0 ? at::Device(at::kCPU) : at::Device(at::kCUDA, static_cast<at::DeviceIndex>(index));
  return const_cast<at::Generator&>(at::globalContext().defaultGenerator(device));
}

} // namespace

extern "C" bool runner_set_arithmetic(bool tf32, bool deterministic) noexcept {
  return done([=] {
    at::Context& context = at::globalContext();
    // these two set the older and the newer of libtorch's switches alike, which may not differ
    context.setAllowTF32CuBLAS(tf32);
    context.setAllowTF32CuDNN(tf32);
    context.setBenchmarkCuDNN(false);
    context.setDeterministicCuDNN(deterministic);
    context.setDeterministicMkldnn(deterministic);
    context.setDeterministicFillUninitializedMemory(false); // nothing here reads what was never written
    context.setDeterministicAlgorithms(deterministic, /*warn_only=*/false);
    if (deterministic) {
      fix_cublas_workspace();
    }
  });
}

// What a GPU computes with now: whether matrix products and convolutions may use TF32, and whether only deterministic
// algorithms are used.
extern "C" bool runner_arithmetic(bool* tf32, bool* deterministic) noexcept {
  return done([=] {
    const at::Context& context = at::globalContext();
    const auto is_tf32 = [&](at::Float32Op op) {
      return context.float32Precision(at::Float32Backend::CUDA, op) == at::Float32Precision::TF32;
    };
    *tf32 = is_tf32(at::Float32Op::MATMUL) || is_tf32(at::Float32Op::CONV);
    *deterministic = context.deterministicAlgorithms();
  });
}

// Starts or ends autocast to bfloat16 in this thread, for the operations of a device type.
extern "C" bool runner_autocast(bool cuda, bool enabled) noexcept {
  return done([=] {
    const at::DeviceType device = cuda ? at::kCUDA : at::kCPU;
    if (enabled) {
      at::autocast::set_autocast_dtype(device, at::kBFloat16);
    } else {
      at::autocast::clear_cache(); // weights that were cast
    }
    at::autocast::set_autocast_enabled(device, enabled);
  });
}

// The most memory that tensors have taken on a GPU at once since the process began, in bytes.
extern "C" bool runner_gpu_peak(int index, std::uint64_t* peak) noexcept {
  return done([=] {
    const auto stats = at::getDeviceAllocator(c10::kCUDA)->getDeviceStats(static_cast<c10::DeviceIndex>(index));
    constexpr auto all = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    *peak = static_cast<std::uint64_t>(stats.allocated_bytes[all].peak);
  });
}

// What is free of a GPU's memory, in bytes, when libtorch has given back what it keeps for later.
extern "C" bool runner_gpu_memory(int index, std::uint64_t* free, std::uint64_t* total) noexcept {
  return done([=] {
    c10::DeviceAllocator* allocator = at::getDeviceAllocator(c10::kCUDA); // fails where no CUDA library is open
    allocator->emptyCache();
    const auto memory = allocator->getMemoryInfo(static_cast<c10::DeviceIndex>(index));
    *free = memory.first;
    *total = memory.second;
  });
}

// A copy of the default generator.
extern "C" bool runner_generator_new(int index, at::Generator** generator) noexcept {
  return done([=] { *generator = new at::Generator(default_generator(index).clone()); });
}

// Exchanges a generator and the default one. Neither is undefined at any moment, because only the pointers are swapped.
extern "C" bool runner_generator_swap(int index, at::Generator* generator) noexcept {
  using Pointer = c10::intrusive_ptr<c10::GeneratorImpl>;
  return done([=] {
    auto& current = const_cast<Pointer&>(default_generator(index).getIntrusivePtr());
    current.swap(const_cast<Pointer&>(generator->getIntrusivePtr()));
  });
}

// A copy of a generator with its state.
extern "C" bool runner_generator_copy(const at::Generator* generator, at::Generator** copy) noexcept {
  return done([=] { *copy = new at::Generator(generator->clone()); });
}

// Sets each value to 1 with probability `p`, else to 0, as `bernoulli_` does for a tensor of this length.
extern "C" bool runner_generator_bernoulli(at::Generator* generator, float* values, std::size_t length, double p) noexcept {
  return done([=] {
    const at::Tensor tensor = at::from_blob(values, {static_cast<std::int64_t>(length)}, at::kFloat);
    tensor.bernoulli_(p, *generator);
  });
}

// The words of the Mersenne Twister of a generator of the CPU, and how many of the last ones were not drawn yet.
extern "C" bool runner_generator_mersenne_twister(const at::Generator* generator, std::uint32_t* state, std::size_t* left) noexcept {
  return done([=] {
    const at::mt19937_data_pod data = at::check_generator<at::CPUGeneratorImpl>(*generator)->engine().data();
    std::copy(data.state_.begin(), data.state_.end(), state);
    *left = static_cast<std::size_t>(data.left_ - 1);
  });
}

extern "C" void runner_generator_free(at::Generator* generator) noexcept {
  delete generator;
}
