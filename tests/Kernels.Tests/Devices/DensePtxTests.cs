using System.Numerics;
using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>
/// What the loops of the dense kernels become on CUDA: accumulators in registers, products that contract with sums, 16-byte loads and stores.
/// </summary>
[Collection(nameof(OneDevice))]
public sealed class DensePtxTests
{
    [Theory]
    [InlineData(80)]
    [InlineData(90)]
    public void Tiles_of_quartets(int multiprocessor)
    {
        Tiles<float>(multiprocessor, "f32", 1);
        Tiles<double>(multiprocessor, "f64", 2);
    }

    [Theory]
    [InlineData(80)]
    [InlineData(90)]
    public void Tiles_of_elements(int multiprocessor)
    {
        foreach (string kernel in new[] { nameof(TileKernels.Large), nameof(TileKernels.Small) })
        {
            DensePtx ptx = DensePtx.Of(
                typeof(TileKernels), kernel, multiprocessor, typeof(float), typeof(DepthElements<float>), typeof(LineElements<float>),
                typeof(ElementTarget<float, NoBody<float>>));
            ptx.AssertClean(kernel);
            Assert.Equal(kernel == nameof(TileKernels.Large) ? 512 : 256, ptx.Contractible("f32"));
        }
    }

    [Theory]
    [InlineData(80)]
    [InlineData(90)]
    public void Thin_products(int multiprocessor)
    {
        Thin<ThinLine<float>>(multiprocessor, 1);
        Thin<ThinPair<float, ThinPair<float, ThinPair<float, ThinLine<float>>>>>(multiprocessor, 8);
    }

    [Theory]
    [InlineData(80)]
    [InlineData(90)]
    public void Products_and_sums_by_elements(int multiprocessor)
    {
        DensePtx product = DensePtx.Of(typeof(ElementKernels), nameof(ElementKernels.Product), multiprocessor, typeof(double), typeof(StridedTarget<double, NoBody<double>>));
        product.AssertClean("product");
        Assert.Equal(1, product.Contractible("f64"));
        DensePtx pieces = DensePtx.Of(typeof(ElementKernels), nameof(ElementKernels.AddPieces), multiprocessor, typeof(float), typeof(StridedTarget<float, NoBody<float>>));
        pieces.AssertClean("pieces");
        DensePtx.Of(typeof(ThinKernels), nameof(ThinKernels.Pack), multiprocessor, typeof(float)).AssertClean("pack");
    }

    [Theory]
    [InlineData(80)]
    [InlineData(90)]
    public void Convolutions(int multiprocessor)
    {
        Type gather = typeof(PatchGather<float, PatchBits>), spread = typeof(PatchSpread<float, PatchBits>);
        foreach ((string kernel, int edge, int depth) in new[] { (nameof(TileKernels.Large), 8, 8), (nameof(TileKernels.Small), 4, 16) })
        {
            foreach ((Type a, Type b, Type c) in new[]
            {
                (typeof(DepthQuads<float>), gather, typeof(PlaneQuads<float, NoBody<float>>)), (typeof(DepthQuads<float>), gather, typeof(ImageTarget<float, NoBody<float>>)),
                (typeof(ImageQuads<float>), spread, typeof(QuadTarget<float, NoBody<float>>)), (typeof(ImageElements<float>), spread, typeof(ElementTarget<float, NoBody<float>>)),
            })
            {
                DensePtx ptx = DensePtx.Of(typeof(TileKernels), kernel, multiprocessor, typeof(float), a, b, c);
                string what = $"{kernel} {a.Name} {b.Name} {c.Name} {multiprocessor}";
                ptx.AssertClean(what);
                Assert.True(ptx.Contractible("f32") == edge * edge * depth, what);
                // Three loads of a thread's four elements, each of which reads four entries of a table at once.
                Assert.True(ptx.Count(@"ld\.global\.v4\.b32") >= 12, what);
                Assert.True(ptx.Count(@"bar\.sync") == 1, what);
            }
        }

        foreach (string kernel in new[] { nameof(WindowKernels.Forward), nameof(WindowKernels.InputGradient), nameof(WindowKernels.WeightGradient) })
        {
            Type[] body = kernel == nameof(WindowKernels.WeightGradient) ? [] : [typeof(NoBody<float>)];
            DensePtx ptx = DensePtx.Of(typeof(WindowKernels), kernel, multiprocessor, [typeof(float), .. body]);
            ptx.AssertClean(kernel);
            Assert.Equal(1, ptx.Contractible("f32"));
        }

        DensePtx.Of(typeof(PatchTables), nameof(PatchTables.Taps), multiprocessor, typeof(PatchBits)).AssertClean("taps");
        DensePtx.Of(typeof(PatchTables), nameof(PatchTables.Turn), multiprocessor, typeof(float)).AssertClean("turn");
        DensePtx.Of(typeof(PatchTables), nameof(PatchTables.Pixels), multiprocessor, typeof(PatchBits)).AssertClean("pixels");
    }

    [Theory]
    [InlineData(80)]
    [InlineData(90)]
    public void Poolings(int multiprocessor)
    {
        DensePtx max = DensePtx.Of(typeof(PoolKernels), nameof(PoolKernels.Join), multiprocessor, typeof(float), typeof(PoolMax<float>));
        max.AssertClean("max");
        Assert.Equal(0, max.Count(@"(div|rem)\."));
        DensePtx.Of(typeof(PoolKernels), nameof(PoolKernels.Join), multiprocessor, typeof(float), typeof(PoolSum<float>)).AssertClean("sum");
        foreach (string kernel in new[] { nameof(PoolKernels.MaxIndices), nameof(PoolKernels.SumGradient) })
        {
            DensePtx ptx = DensePtx.Of(typeof(PoolKernels), kernel, multiprocessor, typeof(double));
            ptx.AssertClean(kernel);
            Assert.Equal(0, ptx.Count(@"(div|rem)\."));
        }
    }

    // 16 bytes are four floats, or two doubles: then everything is moved in halves.
    private static void Tiles<T>(int multiprocessor, string type, int halves)
        where T : unmanaged, INumber<T>
    {
        Type rows = typeof(DepthQuads<T>), columns = typeof(LineQuads<T>), target = typeof(QuadTarget<T, NoBody<T>>);
        foreach ((string kernel, int edge, int depth) in new[] { (nameof(TileKernels.Large), 8, 8), (nameof(TileKernels.Small), 4, 16) })
        {
            foreach ((Type a, Type b) in new[] { (rows, columns), (rows, rows), (columns, columns), (columns, rows) })
            {
                DensePtx ptx = DensePtx.Of(typeof(TileKernels), kernel, multiprocessor, typeof(T), a, b, target);
                string what = $"{kernel} {type} {a.Name} {b.Name} {multiprocessor}";
                ptx.AssertClean(what);
                Assert.True(ptx.Contractible(type) == edge * edge * depth, what);
                Assert.True(ptx.Count($@"mul\.{type}") == edge * edge * depth, what);
                // Both operands at every depth; nothing of shared memory is read element by element.
                Assert.True(ptx.Count(@"ld\.shared\.v") == 2 * edge / 4 * depth * halves, what);
                Assert.True(ptx.Count(@"ld\.shared\.[fb]") == 0, what);
                // Two stages ahead of the loop and one in it; what lies along the depth is scattered into shared memory.
                Assert.True(ptx.Count(@"ld\.global\.v") == 6 * halves, what);
                Assert.True(ptx.Count(@"st\.global\.v") == edge * edge / 4 * halves, what);
                Assert.True(ptx.Count(@"st\.global\.[fb]") == 0, what);
                int along = (a == rows ? 1 : 0) + (b == rows ? 1 : 0);
                Assert.True(ptx.Count(@"st\.shared\.v") == 2 * (2 - along) * halves, what);
                Assert.True(ptx.Count(@"st\.shared\.[fb]") == 2 * along * 4, what);
                Assert.True(ptx.Count(@"bar\.sync") == 1, what);
            }
        }
    }

    private static void Thin<TSums>(int multiprocessor, int lines)
        where TSums : struct, IThinSums<float, TSums>
    {
        DensePtx dots = DensePtx.Of(
            typeof(ThinKernels), nameof(ThinKernels.Dots), multiprocessor, typeof(float), typeof(DepthQuads<float>), typeof(TSums),
            typeof(StridedTarget<float, NoBody<float>>));
        dots.AssertClean("dots");
        Assert.Equal(4 * lines, dots.Contractible("f32"));
        Assert.Equal(1 + lines, dots.Count(@"ld\.global\.v4"));
        DensePtx columns = DensePtx.Of(
            typeof(ThinKernels), nameof(ThinKernels.Columns), multiprocessor, typeof(float), typeof(LineQuads<float>), typeof(TSums),
            typeof(StridedTarget<float, NoBody<float>>));
        columns.AssertClean("columns");
        Assert.Equal(4 * lines, columns.Contractible("f32"));
        Assert.Equal(1, columns.Count(@"ld\.global\.v4"));
    }
}
