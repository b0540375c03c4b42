using System.Diagnostics.CodeAnalysis;
using System.Linq.Expressions;
using System.Reflection;
using ILGPU;

namespace Fusion.Kernels;

/// <summary>The types and methods of memory that the trees of device kernels name.</summary>
internal static class DeviceTypes
{
    private static readonly string[] s_fields = [nameof(Quad<>.X), nameof(Quad<>.Y), nameof(Quad<>.Z), nameof(Quad<>.W)];

    /// <summary>The type of elements in memory.</summary>
    public static Type Memory(DType type) => type switch
    {
        DType.Float32 => typeof(float),
        DType.Float64 => typeof(double),
        DType.Int32 => typeof(int),
        DType.Int64 => typeof(long),
        _ => typeof(byte),
    };

    /// <summary>The type of an array of a device.</summary>
    public static Type View(DType type) => type switch
    {
        DType.Float32 => typeof(ArrayView<float>),
        DType.Float64 => typeof(ArrayView<double>),
        DType.Int32 => typeof(ArrayView<int>),
        DType.Int64 => typeof(ArrayView<long>),
        _ => typeof(ArrayView<byte>),
    };

    /// <summary>Element <paramref name="lane"/> of four that were loaded together.</summary>
    public static MemberExpression Element(Expression quad, DType type, int lane) => Expression.Field(quad, type switch
    {
        DType.Float32 => typeof(Quad<float>).GetField(s_fields[lane])!,
        DType.Float64 => typeof(Quad<double>).GetField(s_fields[lane])!,
        DType.Int32 => typeof(Quad<int>).GetField(s_fields[lane])!,
        _ => typeof(Quad<long>).GetField(s_fields[lane])!,
    });

    /// <summary>A call of a method of <see cref="DeviceMemory"/>.</summary>
    public static MethodCallExpression Call(string method, params Expression[] arguments) =>
        Expression.Call(typeof(DeviceMemory).GetMethod(method)!, arguments);

    /// <summary>A call of a generic method of <see cref="DeviceMemory"/>, for a type of elements.</summary>
    public static MethodCallExpression Call(string method, DType type, params Expression[] arguments) =>
        Expression.Call(Close(typeof(DeviceMemory).GetMethod(method)!, Memory(type)), arguments);

    /// <summary>A generic method for a type of elements.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2060", Justification = "The methods of memory ask nothing of the members of their type arguments.")]
    public static MethodInfo Close(MethodInfo method, Type element) =>
        KernelCompiler.IsAvailable ? method.MakeGenericMethod(element) : throw KernelCompiler.NotAvailable();
}
