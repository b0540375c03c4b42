namespace Fusion.NN;

/// <summary>What is done with a module and returns it, of its own type.</summary>
public static class ModuleExtensions
{
    /// <summary>Moves all parameters, their gradients and the buffers to a device, in place: the arrays stay the same objects.</summary>
    /// <remarks>The state of an optimizer is made where the parameter is at its first step: move before that.</remarks>
    public static TModule To<TModule>(this TModule module, Device device)
        where TModule : Module
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(device);
        module.MoveTo(device);
        return module;
    }
}
