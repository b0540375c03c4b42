using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

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
        IntegerGreater = Generic(nameof(Vector128.GreaterThan), IntegerType, IntegerType);
        IntegerAnd = IntegerType.GetMethod("op_BitwiseAnd", [IntegerType, IntegerType])!;
        IntegerEquality = IntegerType.GetMethod("op_Equality", [IntegerType, IntegerType])!;
        WidenBytes = width switch
        {
            512 => typeof(Avx512F).GetMethod(is64 ? nameof(Avx512F.ConvertToVector512Int64) : nameof(Avx512F.ConvertToVector512Int32), [typeof(Vector128<byte>)]),
            256 when Avx2.IsSupported => typeof(Avx2).GetMethod(is64 ? nameof(Avx2.ConvertToVector256Int64) : nameof(Avx2.ConvertToVector256Int32), [typeof(Vector128<byte>)]),
            _ => null,
        };
        NarrowToBytes = width switch
        {
            512 => typeof(Avx512F).GetMethod(nameof(Avx512F.ConvertToVector128Byte), [IntegerType]),
            256 when Avx512F.VL.IsSupported => typeof(Avx512F.VL).GetMethod(nameof(Avx512F.VL.ConvertToVector128Byte), [IntegerType]),
            _ => null,
        };
        HalfType = width == 512 ? typeof(Vector256<ushort>) : typeof(Vector128<ushort>);
        if (!is64 && width == 512)
        {
            WidenHalves = typeof(Avx512F).GetMethod(nameof(Avx512F.ConvertToVector512Int32), [HalfType]);
            NarrowToHalves = typeof(Avx512F).GetMethod(nameof(Avx512F.ConvertToVector256UInt16), [IntegerType]);
        }
        else if (!is64 && width == 256)
        {
            if (Avx2.IsSupported) WidenHalves = typeof(Avx2).GetMethod(nameof(Avx2.ConvertToVector256Int32), [HalfType]);
            if (Avx512F.VL.IsSupported) NarrowToHalves = typeof(Avx512F.VL).GetMethod(nameof(Avx512F.VL.ConvertToVector128UInt16), [IntegerType]);
        }
        Type holder = width == 512 ? typeof(Avx512F) : typeof(Avx);
        if (width == 512 ? Avx512F.IsSupported : Avx.IsSupported) StoreMasked = holder.GetMethod(nameof(Avx.MaskStore), [Element.MakePointerType(), Type, Type]);
        if (width == 512 && Avx512F.IsSupported) StoreStreamed = holder.GetMethod(nameof(Avx512F.StoreAlignedNonTemporal), [Element.MakePointerType(), Type]);
        if (width == 512) Fixup = typeof(Avx512F).GetMethod(nameof(Avx512F.Fixup), [Type, Type, IntegerType, typeof(byte)]);
        Shuffle = _methods.GetMethod(nameof(Vector128.Shuffle), [Type, IntegerType])!;
        CreateEach = _methods.GetMethod(nameof(Vector128.Create), [.. Enumerable.Repeat(Integer, Count)])!;
        string[] comparisons = [nameof(Vector128.LessThan), nameof(Vector128.LessThanOrEqual), nameof(Vector128.GreaterThan), nameof(Vector128.GreaterThanOrEqual), nameof(Vector128.Equals)];
        MaskComparisons = width == 512 ? [.. comparisons.Select(Binary)] : [];
        ShiftRightLogical = IntegerType.GetMethod("op_UnsignedRightShift", [IntegerType, typeof(int)])!;
    }

    public int Width { get; }

    public bool Is64 { get; }

    /// <summary>Elements in one register.</summary>
    public int Count => Width / (Is64 ? 64 : 32);

    public int ElementSize => Is64 ? sizeof(double) : sizeof(float);

    public Type Element { get; }

    public Type Integer { get; }

    public Type Type { get; }

    [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicMethods)]
    public Type IntegerType { get; }

    public MethodInfo Create { get; }

    public MethodInfo CreateInteger { get; }

    /// <summary>Stores the elements whose mask is set: address, mask, register; null: this processor has no such instruction.</summary>
    public MethodInfo? StoreMasked { get; }

    /// <summary>Stores a register past the caches: address of a line, register; null: not at this width.</summary>
    public MethodInfo? StoreStreamed { get; }

    /// <summary>The first register with elements replaced by what a table says of those of the second; null: this processor has no such instruction.</summary>
    public MethodInfo? Fixup { get; }

    /// <summary>Of an integer for each element.</summary>
    public MethodInfo CreateEach { get; }

    /// <summary>The elements at these positions.</summary>
    public MethodInfo Shuffle { get; }

    public MethodInfo AsInteger { get; }

    public MethodInfo AsElement { get; }

    public MethodInfo ShiftRightLogical { get; }

    /// <summary>The comparisons whose result is a mask of the processor; none where it is a register of elements.</summary>
    public MethodInfo[] MaskComparisons { get; }

    /// <summary>Converts signed integers to the nearest numbers.</summary>
    public MethodInfo ToElement { get; }

    public MethodInfo IntegerGreater { get; }

    public MethodInfo IntegerAnd { get; }

    /// <summary>Of all elements.</summary>
    public MethodInfo IntegerEquality { get; }

    /// <summary>The bytes of the lower part of a <c>Vector128&lt;byte&gt;</c> as integers; null: this processor has no such instruction.</summary>
    public MethodInfo? WidenBytes { get; }

    /// <summary>The lowest byte of every integer, in the lower part of a <c>Vector128&lt;byte&gt;</c>.</summary>
    public MethodInfo? NarrowToBytes { get; }

    /// <summary>As many patterns of two bytes as elements.</summary>
    public Type HalfType { get; }

    /// <summary>Patterns of two bytes as integers.</summary>
    public MethodInfo? WidenHalves { get; }

    public MethodInfo? NarrowToHalves { get; }

    public static VectorMethods For(int width, bool is64) => s_instances[(width >> 8 << 1) + (is64 ? 1 : 0)] ??= new VectorMethods(width, is64);

    /// <summary>The method of <c>Vector128|256|512</c> with this name and one register.</summary>
    public MethodInfo Unary(string name) => _unary.GetOrAdd(name, n => Static(n, Type));

    public MethodInfo Binary(string name) => _binary.GetOrAdd(name, n => Static(n, Type, Type));

    public MethodInfo Ternary(string name) => _ternary.GetOrAdd(name, n => Static(n, Type, Type, Type));

    /// <summary>The generic method of <see cref="KernelMemory"/> with this name and the width appended, for the element type.</summary>
    public MethodInfo Memory(string name) => _unary.GetOrAdd("Memory." + name, _ => Close(typeof(KernelMemory).GetMethod(name + Width, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!, Element));

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
