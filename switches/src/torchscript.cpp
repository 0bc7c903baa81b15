// TorchScript modules: load, list tensors, call, measure memory. Each function returns null, or an error message that
// `runner_free_message` frees; no exception leaves this file.

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <sstream>
#include <string>

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/script.h>

namespace {

template <typename Work>
char* message_of(Work work) noexcept {
  try {
    work();
    return nullptr;
  } catch (const c10::Error& error) {
    return strdup(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return strdup(error.what());
  } catch (...) {
    return strdup("unknown error");
  }
}

struct Module {
  torch::jit::Module module;
};

// Counts the bytes of the CPU tensors that a thread allocates and frees.
struct MemoryCounter final : c10::MemoryReportingInfoBase {
  void reportMemoryUsage(void*, std::int64_t bytes, std::size_t, std::size_t, c10::Device) override {
    const std::int64_t now = current.fetch_add(bytes) + bytes;
    std::int64_t known = peak.load();
    while (now > known && !peak.compare_exchange_weak(known, now)) {
    }
  }
  bool memoryProfilingEnabled() const override {
    return true;
  }
  std::atomic<std::int64_t> current{0};
  std::atomic<std::int64_t> peak{0};
  std::int64_t before = 0;
};

struct MemoryGuard {
  std::shared_ptr<MemoryCounter> counter = std::make_shared<MemoryCounter>();
  c10::DebugInfoGuard guard{c10::DebugInfoKind::PROFILER_STATE, counter};
};

} // namespace

using Tensor = at::Tensor;

extern "C" void runner_free_message(char* message) noexcept {
  free(message);
}

// Loads a module from the bytes of its file. `device` is -1 for the CPU, else the index of a GPU.
extern "C" char* runner_module_load(const char* bytes, std::size_t length, int device, Module** loaded) noexcept {
  return message_of([=] {
    std::istringstream stream(std::string(bytes, length));
    const auto place = device < 0 ? at::Device(at::kCPU) : at::Device(at::kCUDA, static_cast<at::DeviceIndex>(device));
    *loaded = new Module{torch::jit::load(stream, place)};
  });
}

extern "C" void runner_module_free(Module* module) noexcept {
  message_of([=] { delete module; });
}

// Passes each parameter, or each buffer, to `add`, which takes ownership of the tensor.
extern "C" char* runner_module_tensors(
    Module* module, bool buffers, void* list, void (*add)(void*, const char*, Tensor*)) noexcept {
  return message_of([=] {
    const auto pass = [=](const auto& tensors) {
      for (const auto& named : tensors) {
        add(list, named.name.c_str(), new Tensor(named.value));
      }
    };
    if (buffers) {
      pass(module->module.named_buffers());
    } else {
      pass(module->module.named_parameters());
    }
  });
}

// Makes a tensor of the module a view of another one's memory. The tensor stays the same object, so everything in the
// module that refers to it sees the memory.
extern "C" char* runner_set_data(Tensor* tensor, const Tensor* data) noexcept {
  return message_of([=] { tensor->set_data(*data); });
}

// Sets `same` to whether both are one object: two names of one parameter, not two views of the same memory.
extern "C" char* runner_is_same(const Tensor* one, const Tensor* other, bool* same) noexcept {
  return message_of([=] { *same = one->is_same(*other); });
}

// Sets `dense` to whether the tensor is an array of numbers in memory: neither sparse nor quantized.
extern "C" char* runner_is_dense(const Tensor* tensor, bool* dense) noexcept {
  return message_of([=] { *dense = tensor->layout() == at::kStrided && !tensor->is_quantized(); });
}

// Sets `arguments` to the number of arguments of a method without its `self`, and `required` to the number of those
// without a default; both to -1 if the module has no such method.
extern "C" char* runner_module_arguments(Module* module, const char* method, int* arguments, int* required) noexcept {
  return message_of([=] {
    *arguments = *required = -1;
    if (const auto found = module->module.find_method(method)) {
      const auto& schema = found->function().getSchema().arguments();
      *arguments = *required = 0;
      for (std::size_t index = 1; index < schema.size(); ++index) {
        ++*arguments;
        *required += schema[index].default_value().has_value() ? 0 : 1;
      }
    }
  });
}

extern "C" char* runner_module_set_training(Module* module, bool training) noexcept {
  return message_of([=] { module->module.train(training); });
}

// Calls a method. `output` is set to a new tensor, or to null if the method returns no tensor and no number. The graph is run as it is
// written: the optimizer of the executor would change rounding after the first calls, so that a resumed run would differ.
extern "C" char* runner_module_call(
    Module* module, const char* method, Tensor* const* inputs, std::size_t count, Tensor** output) noexcept {
  return message_of([=] {
    const torch::jit::GraphOptimizerEnabledGuard as_written(false);
    std::vector<c10::IValue> values;
    for (std::size_t index = 0; index < count; ++index) {
      values.emplace_back(*inputs[index]);
    }
    const c10::IValue result = module->module.get_method(method)(std::move(values));
    if (result.isTensor()) {
      *output = new Tensor(result.toTensor());
    } else {
      *output = result.isScalar() ? new Tensor(at::scalar_tensor(result.toScalar(), at::kDouble)) : nullptr;
    }
  });
}

// Copies each buffer that the module has replaced by another tensor into its place in `places`, which becomes the buffer
// again.
extern "C" char* runner_module_keep_buffers(Module* module, Tensor* const* places, std::size_t count) noexcept {
  return message_of([=] {
    const torch::NoGradGuard no_grad;
    std::size_t index = 0;
    for (const auto& named : module->module.named_buffers()) {
      if (index >= count) {
        break;
      }
      Tensor buffer = named.value;
      const Tensor& place = *places[index++];
      if (buffer.data_ptr() != place.data_ptr()) {
        place.copy_(buffer);
        buffer.set_data(place);
      }
    }
  });
}

// Starts to count the bytes of the CPU tensors of this thread.
extern "C" char* runner_memory_start(MemoryGuard** guard) noexcept {
  return message_of([=] { *guard = new MemoryGuard; });
}

// Returns the most bytes that there were at once since the last call, beyond those at the last call.
extern "C" std::int64_t runner_memory_take_peak(MemoryGuard* guard) noexcept {
  MemoryCounter& counter = *guard->counter;
  const std::int64_t peak = counter.peak.load() - counter.before;
  counter.before = counter.current.load();
  counter.peak.store(counter.before);
  return peak;
}

// Ends the count, in the thread that started it.
extern "C" void runner_memory_end(MemoryGuard* guard) noexcept {
  message_of([=] { delete guard; });
}
