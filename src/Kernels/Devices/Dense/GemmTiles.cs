using System.Numerics;
using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>
/// Launches <see cref="TileKernels"/>, in the tiles of <see cref="TileLaunch{T}.Plan"/>. An operand is moved 16 bytes at a time where its rows allow it.
/// </summary>
internal static class GemmTiles<T, TBody>
    where T : unmanaged, INumber<T>
    where TBody : struct, IProductBody<T>
{
    public static void Run(GpuDevice device, in GemmShape<T, TBody> s)
    {
        (int rows, int columns) = s.SizeA;
        bool quads = s.FitsQuads(s.A, columns);
        int leading = (int)s.A.Leading, stride = (int)s.A.Stride;
        if (s.TransA && quads) WithB(device, s, new LineQuads<T>(s.Quads(s.A, rows, columns), leading / 4, stride / 4, s.M));
        else if (s.TransA) WithB(device, s, new LineElements<T>(s.View(s.A, rows, columns), leading, stride, s.M));
        else if (quads) WithB(device, s, new DepthQuads<T>(s.Quads(s.A, rows, columns), leading / 4, stride / 4, s.M));
        else WithB(device, s, new DepthElements<T>(s.View(s.A, rows, columns), leading, stride, s.M));
    }

    private static void WithB<TA>(GpuDevice device, in GemmShape<T, TBody> s, TA a)
        where TA : struct, ITileSource<T, TA>
    {
        (int rows, int columns) = s.SizeB;
        bool quads = s.FitsQuads(s.B, columns);
        int leading = (int)s.B.Leading, stride = (int)s.B.Stride;
        if (!s.TransB && quads) WithC(device, s, a, new LineQuads<T>(s.Quads(s.B, rows, columns), leading / 4, stride / 4, s.N));
        else if (!s.TransB) WithC(device, s, a, new LineElements<T>(s.View(s.B, rows, columns), leading, stride, s.N));
        else if (quads) WithC(device, s, a, new DepthQuads<T>(s.Quads(s.B, rows, columns), leading / 4, stride / 4, s.N));
        else WithC(device, s, a, new DepthElements<T>(s.View(s.B, rows, columns), leading, stride, s.N));
    }

    private static void WithC<TA, TB>(GpuDevice device, in GemmShape<T, TBody> s, TA a, TB b)
        where TA : struct, ITileSource<T, TA>
        where TB : struct, ITileSource<T, TB>
    {
        TileGrid grid = TileLaunch<T>.Plan(s.M, s.N, s.K, s.Batch, out bool large);
        if (grid.Splits > 1)
        {
            TileLaunch<T>.Split(device, large, grid, s.M, s.N, s.Batch, a, b, s.Target(false));
            return;
        }

        int leading = (int)s.C.Leading, stride = (int)s.C.Stride;
        if (s.FitsQuads(s.C, s.N))
        {
            var target = new QuadTarget<T, TBody>(s.Quads(s.C, s.M, s.N), leading / 4, stride / 4, s.M, s.N, s.Finish(false));
            TileLaunch<T>.Run(device, large, grid, s.Batch, a, b, target);
        }
        else
        {
            var target = new ElementTarget<T, TBody>(s.View(s.C, s.M, s.N), leading, stride, s.M, s.N, s.Finish(false));
            TileLaunch<T>.Run(device, large, grid, s.Batch, a, b, target);
        }
    }
}
