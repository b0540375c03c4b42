using System.Runtime.CompilerServices;
using Fusion.NN;

namespace Fusion;

public static partial class Hybrid
{
    private static readonly ConditionalWeakTable<Module, HybridFunction<Func<NDArray, NDArray>>> s_modules = [];

    /// <summary>
    /// Compiles a module's forward function, with all modules inside it, and returns the module. Parameters are captured by reference: an update in place
    /// is seen by the next call, and a module that gets new children or parameters is compiled anew. Hybridizing again replaces the compiled function.
    /// </summary>
    public static TModule Hybridize<TModule>(this TModule module, HybridOptions? options = null)
        where TModule : Module
    {
        ArgumentNullException.ThrowIfNull(module);
        HybridEngine engine = new(inputs => [module.Value(inputs[0])], options ?? new HybridOptions(), module.GetType().Name);
        HybridFunction<Func<NDArray, NDArray>> function = new(engine, x => engine.Invoke([x])[0]);
        s_modules.AddOrUpdate(module, function);
        module.ForwardHook = function.Invoke;
        module.StructureChanged = function.Clear;
        return module;
    }

    /// <summary>The compiled function of a hybridized module: its report, its kernels as C#.</summary>
    /// <exception cref="InvalidOperationException">The module has not been hybridized.</exception>
    public static HybridFunction<Func<NDArray, NDArray>> Hybridized(this Module module)
    {
        ArgumentNullException.ThrowIfNull(module);
        return s_modules.TryGetValue(module, out HybridFunction<Func<NDArray, NDArray>>? function)
            ? function
            : throw new InvalidOperationException($"Hybridized: {module.GetType().Name} has not been hybridized. Call Hybridize() first.");
    }
}
