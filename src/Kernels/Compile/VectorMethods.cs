using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>One register type and the methods on it that expression trees call: <c>Vector512&lt;float&gt;</c> with <c>Vector512</c>, and so on.</summary>
/// <remarks>Intrinsics themselves, never wrappers: a wrapper needs inlining, and past some hundreds of inlined calls the JIT stops doing it.</remarks>
internal sealed class VectorMethods
{
    private static readonly VectorMethods?[] s_instances = new VectorMethods?[6];

    private readonly ConcurrentDictionary<string, MethodInfo> _unary = [], _binary = [], _ternary = [];

    [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicMethods)]
    private readonly Type _methods;

    private VectorMethods(int width, bool is64)
    {
        (Width, Is64) = (width, is64);
        _methods = width switch
        {
            512 => typeof(Vector512),
            256 => typeof(Vector256),
            _ => typeof(Vector128),
        };
        Element = is64 ? typeof(double) : typeof(float);
        Integer = is64 ? typeof(long) : typeof(int);
        Type = (width, is64) switch
        {
            (512, false) => typeof(Vector512<float>),
            (512, true) => typeof(Vector512<double>),
            (256, false) => typeof(Vector256<float>),
            (256, true) => typeof(Vector256<double>),
            (_, false) => typeof(Vector128<float>),
            (_, true) => typeof(Vector128<double>),
        };
        IntegerType = (width, is64) switch
        {
            (512, false) => typeof(Vector512<int>),
            (512, true) => typeof(Vector512<long>),
            (256, false) => typeof(Vector256<int>),
            (256, true) => typeof(Vector256<long>),
            (_, false) => typeof(Vector128<int>),
            (_, true) => typeof(Vector128<long>),
        };
        Create = _methods.GetMethod(nameof(Vector128.Create), [Element])!;
        CreateInteger = _methods.GetMethod(nameof(Vector128.Create), [Integer])!;
        AsInteger = Generic(is64 ? nameof(Vector128.AsInt64) : nameof(Vector128.AsInt32), Type);
        AsElement = Generic(is64 ? nameof(Vector128.AsDouble) : nameof(Vector128.AsSingle), IntegerType);
        ToElement = _methods.GetMethod(is64 ? nameof(Vector128.ConvertToDouble) : nameof(Vector128.ConvertToSingle), [IntegerType])!;
        ShiftRightLogical = IntegerType.GetMethod("op_UnsignedRightShift", [IntegerType, typeof(int)])!;
    }

    public int Width { get; }

    public bool Is64 { get; }

    /// <summary>Elements in one register.</summary>
    public int Count => Width / (Is64 ? 64 : 32);

    public Type Element { get; }

    public Type Integer { get; }

    public Type Type { get; }

    [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicMethods)]
    public Type IntegerType { get; }

    public MethodInfo Create { get; }

    public MethodInfo CreateInteger { get; }

    public MethodInfo AsInteger { get; }

    public MethodInfo AsElement { get; }

    public MethodInfo ShiftRightLogical { get; }

    /// <summary>Converts signed integers to the nearest numbers.</summary>
    public MethodInfo ToElement { get; }

    public static VectorMethods For(int width, bool is64) => s_instances[(width >> 8 << 1) + (is64 ? 1 : 0)] ??= new VectorMethods(width, is64);

    /// <summary>The method of <c>Vector128|256|512</c> with this name and one register.</summary>
    public MethodInfo Unary(string name) => _unary.GetOrAdd(name, n => Static(n, Type));

    public MethodInfo Binary(string name) => _binary.GetOrAdd(name, n => Static(n, Type, Type));

    public MethodInfo Ternary(string name) => _ternary.GetOrAdd(name, n => Static(n, Type, Type, Type));

    /// <summary>The generic method of <see cref="KernelMemory"/> with this name and the width appended, for the element type.</summary>
    public MethodInfo Memory(string name) => _unary.GetOrAdd("Memory." + name, _ => Close(typeof(KernelMemory).GetMethod(name + Width)!, Element));

    private MethodInfo Static(string name, params Type[] types) => _methods.GetMethod(name, types) ?? Generic(name, types);

    // The overload of a generic method that, closed over the element type of the first parameter, takes these types.
    private MethodInfo Generic(string name, params Type[] types)
    {
        Type element = types[0].GetGenericArguments()[0];
        foreach (MethodInfo method in _methods.GetMethods())
        {
            if (method.Name != name || !method.IsGenericMethodDefinition || method.GetGenericArguments().Length != 1) continue;
            MethodInfo closed = Close(method, element);
            if (closed.GetParameters().Select(p => p.ParameterType).SequenceEqual(types)) return closed;
        }
        throw new MissingMethodException(_methods.Name, name);
    }

    [UnconditionalSuppressMessage("Trimming", "IL2060", Justification = "The methods of vectors and of KernelMemory ask nothing of the members of their type arguments.")]
    private static MethodInfo Close(MethodInfo method, Type element) =>
        KernelCompiler.IsAvailable ? method.MakeGenericMethod(element) : throw KernelCompiler.NotAvailable();
}
