using System.Diagnostics.CodeAnalysis;
using System.Linq.Expressions;
using System.Reflection;
using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>A delegate that reads a kernel's arguments from <see cref="DeviceArguments"/> and calls its typed launcher: nothing is boxed.</summary>
internal static class DeviceLauncher
{
    /// <summary>
    /// Parameters are told by their names: <c>v</c>k is the array, <c>c</c>k the number of operand k, <c>m</c>k a mask of the host; all others are
    /// integers, in order.
    /// </summary>
    [UnconditionalSuppressMessage("Trimming", "IL2060", Justification = "The methods ask nothing of the members of their type arguments.")]
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "As above.")]
    public static Action<AcceleratorStream, KernelConfig, DeviceArguments> Create(Kernel kernel, IReadOnlyList<ParameterExpression> parameters)
    {
        if (!KernelCompiler.IsAvailable) throw KernelCompiler.NotAvailable();
        Type launcherType = Expression.GetDelegateType([typeof(AcceleratorStream), typeof(KernelConfig), .. parameters.Select(p => p.Type), typeof(void)]);
        object launcher = typeof(Kernel).GetMethod(nameof(Kernel.CreateLauncherDelegate))!.MakeGenericMethod(launcherType).Invoke(kernel, null)!;

        ParameterExpression stream = Expression.Parameter(typeof(AcceleratorStream)), config = Expression.Parameter(typeof(KernelConfig));
        ParameterExpression arguments = Expression.Parameter(typeof(DeviceArguments));
        int integers = 0;
        Expression call = Expression.Invoke(
            Expression.Constant(launcher, launcherType), [stream, config, .. parameters.Select(p => Read(arguments, p, ref integers))]);
        return Expression.Lambda<Action<AcceleratorStream, KernelConfig, DeviceArguments>>(call, stream, config, arguments).Compile();
    }

    private static MethodCallExpression Read(ParameterExpression arguments, ParameterExpression parameter, ref int integers)
    {
        string name = parameter.Name!;
        if (name.Length < 2 || name[0] is not ('v' or 'c' or 'm') || !int.TryParse(name.AsSpan(1), out int operand))
            return Expression.Call(arguments, typeof(DeviceArguments).GetMethod(nameof(DeviceArguments.Integer))!, Expression.Constant(integers++));
        MethodInfo method = name[0] switch
        {
            'v' => DeviceTypes.Close(typeof(DeviceArguments).GetMethod(nameof(DeviceArguments.View))!, parameter.Type.GetGenericArguments()[0]),
            'm' => typeof(DeviceArguments).GetMethod(nameof(DeviceArguments.Mask))!,
            _ => typeof(DeviceArguments).GetMethod(parameter.Type.Name)!,
        };
        return Expression.Call(arguments, method, Expression.Constant(operand));
    }
}
