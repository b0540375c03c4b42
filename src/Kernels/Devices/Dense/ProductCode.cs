using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using ILGPU;

namespace Fusion.Kernels;

/// <summary>An operand of the code on the elements of a product, besides the product.</summary>
/// <param name="Operand">The array or number.</param>
/// <param name="IsOwn">It has as many elements as the product, in its order.</param>
/// <param name="Width">Else: elements of a row of it, 1 or those of the product.</param>
/// <param name="Divisor">Row r of the product reads row r / divisor % period.</param>
/// <param name="Period">So many rows.</param>
internal readonly record struct ProductSource(DeviceOperand Operand, bool IsOwn, int Width, int Divisor, int Period);

/// <summary>An element-wise kernel on the elements of a product, where they are finished. The default value is none.</summary>
/// <param name="spec">The kernel.</param>
/// <param name="isProduct">Which of its inputs are the product.</param>
/// <param name="sources">Its other inputs, then its outputs, which are the product's in size.</param>
/// <param name="columns">Elements of a row of the whole product.</param>
/// <param name="keeps">The product itself is written, too.</param>
internal readonly ref struct ProductWork(KernelSpec spec, ReadOnlySpan<bool> isProduct, ReadOnlySpan<ProductSource> sources, long columns, bool keeps)
{
    private readonly ReadOnlySpan<bool> _isProduct = isProduct;
    private readonly ReadOnlySpan<ProductSource> _sources = sources;
    private readonly long _columns = columns;

    public bool IsNone => spec is null;

    /// <summary>The code, from the cache or made now.</summary>
    public ProductCode<T> Code<T>()
        where T : unmanaged, INumber<T>
    {
        ulong accesses = 0;
        int place = 0;
        bool quads = true;
        for (int k = 0; k < spec.Inputs.Length + spec.Outputs.Length; k++)
        {
            ProductAccess access = k < _isProduct.Length && _isProduct[k] ? ProductAccess.Product : AccessOf(_sources[place++], k >= spec.Inputs.Length);
            accesses |= (ulong)access << (3 * k);
            if (access == ProductAccess.Own) quads &= (_sources[place - 1].Operand.Offset & 3) == 0;
        }

        return ProductCode<T>.Of(new ProductCodeKey(spec, accesses, keeps, quads));
    }

    /// <summary>The operands for some elements of the product.</summary>
    /// <param name="start">Elements before these.</param>
    /// <param name="count">So many.</param>
    /// <param name="any">Memory for places that nobody looks at.</param>
    public ProductOperands Bind(long start, long count, DeviceBlock any)
    {
        ProductOperands operands = new() { Start = DeviceGrid.Index(start), Columns = DeviceGrid.Index(_columns) };
        ArrayView<byte> nothing = any.View<byte>(0, 1);
        for (int i = 0; i < ProductOperands.Max; i++)
        {
            if (i >= _sources.Length)
            {
                operands[i] = new ProductOperand { View = nothing };
                continue;
            }

            ProductSource s = _sources[i];
            DeviceOperand x = s.Operand;
            long first = x.Offset + (s.IsOwn ? start : 0), length = s.IsOwn ? count : (long)s.Width * s.Period;
            operands[i] = new ProductOperand
            {
                View = x.Block is { } block ? block.View<byte>(first * x.Type.Size, length * x.Type.Size) : nothing,
                Double = x.Value,
                Single = (float)x.Value,
                Width = s.Width,
                Divisor = s.Divisor,
                Period = s.Period,
            };
        }

        return operands;
    }

    private static ProductAccess AccessOf(in ProductSource s, bool isOutput) =>
        s.Operand.Block is null ? ProductAccess.Host : isOutput || s.IsOwn ? ProductAccess.Own : s.Width > 1 ? ProductAccess.Mapped
        : s.Period == 1 ? ProductAccess.One : ProductAccess.PerRow;
}

/// <summary>Launches products whose elements a kernel works on where they are finished.</summary>
internal abstract class ProductCode<T>
    where T : unmanaged, INumber<T>
{
    private static readonly RecentCache<ProductCodeKey, Once<ProductCode<T>>> s_known = new(GpuDevice.MaxKernels);

    private int _isCounted;

    /// <summary>The code of a key, from the cache or made now.</summary>
    public static ProductCode<T> Of(ProductCodeKey key) => s_known.GetOrAdd(key, static key => new(() => Make(key))).Value;

    /// <summary>As <see cref="DeviceGemm"/> does it.</summary>
    public abstract void Product(
        GpuDevice device, bool transA, bool transB, long m, long n, long k, DeviceMatrix a, DeviceMatrix b, DeviceMatrix c, long batch, DeviceMatrix? bias,
        in ProductOperands operands);

    /// <summary>As <see cref="DeviceConvolution"/> does it.</summary>
    public abstract void Convolution(
        GpuDevice device, in WindowShape s, DeviceVector x, DeviceVector w, DeviceVector? bias, DeviceVector y, in ProductOperands operands);

    /// <summary>As <see cref="DeviceConvolution"/> does it.</summary>
    public abstract void InputGradient(GpuDevice device, in WindowShape s, DeviceVector dy, DeviceVector w, DeviceVector dx, in ProductOperands operands);

    /// <summary>The type of the elements' work, for kernels as text.</summary>
    public abstract Type Body { get; }

    // The first launch compiles.
    private void Count(long start)
    {
        if (Interlocked.Exchange(ref _isCounted, 1) == 0) DeviceCompilation.Add(start);
    }

    [UnconditionalSuppressMessage("Trimming", "IL2055", Justification = "Nothing is asked of the members of the type arguments but what the interface has.")]
    private static ProductCode<T> Make(ProductCodeKey key)
    {
        if (!KernelCompiler.IsAvailable) throw KernelCompiler.NotAvailable();
        ProductCodeTree tree = ProductCodeTree.Build(key);
        Type code = DeviceMethod.CreateProductCode(typeof(IProductCode<T>), tree.IsLong, tree.One, tree.Quad);
        return (ProductCode<T>)Activator.CreateInstance(typeof(Compiled<>).MakeGenericType(typeof(T), code))!;
    }

    private sealed class Compiled<TCode> : ProductCode<T>
        where TCode : struct, IProductCode<T>
    {
        public override Type Body => typeof(ProductBody<T, TCode>);

        public override void Product(
            GpuDevice device, bool transA, bool transB, long m, long n, long k, DeviceMatrix a, DeviceMatrix b, DeviceMatrix c, long batch, DeviceMatrix? bias,
            in ProductOperands operands)
        {
            long start = Stopwatch.GetTimestamp();
            DeviceGemm.Run<T, ProductBody<T, TCode>>(device, transA, transB, m, n, k, a, b, c, batch, bias, new ProductBody<T, TCode>(operands));
            Count(start);
        }

        public override void Convolution(
            GpuDevice device, in WindowShape s, DeviceVector x, DeviceVector w, DeviceVector? bias, DeviceVector y, in ProductOperands operands)
        {
            long start = Stopwatch.GetTimestamp();
            DeviceConvolution.Forward<T, ProductBody<T, TCode>>(device, s, x, w, bias, y, new ProductBody<T, TCode>(operands));
            Count(start);
        }

        public override void InputGradient(
            GpuDevice device, in WindowShape s, DeviceVector dy, DeviceVector w, DeviceVector dx, in ProductOperands operands)
        {
            long start = Stopwatch.GetTimestamp();
            DeviceConvolution.InputGradient<T, ProductBody<T, TCode>>(device, s, dy, w, dx, new ProductBody<T, TCode>(operands));
            Count(start);
        }
    }
}
