using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU;

namespace Fusion.Kernels;

/// <summary>
/// A batch of images as the result of a product: rows are channels of a group, columns are (image, position), matrices of the batch are (phase, group).
/// Position q of a phase is the pixel q · step + phase; those outside of the image are not written.
/// </summary>
/// <param name="images">[image, group, channel, pixel].</param>
/// <param name="space">The pixels and the phases.</param>
/// <param name="groups">Groups of channels.</param>
/// <param name="channels">Channels of a group.</param>
/// <param name="columns">Images times positions.</param>
/// <param name="finish">What is done with the elements; its rows are channels, through the groups.</param>
internal readonly struct ImageTarget<T, TBody>(ArrayView<T> images, ImageSpace space, int groups, int channels, int columns, TileFinish<T, TBody> finish)
    : ITileTarget<T>, ILineTarget<T>
    where T : unmanaged, INumber<T>
    where TBody : struct, IProductBody<T>
{
    private readonly ArrayView<T> _images = images;
    private readonly ImageSpace _space = space;
    private readonly int _groups = groups;
    private readonly int _channels = channels;
    private readonly int _columns = columns;
    private readonly TileFinish<T, TBody> _finish = finish;

    public static bool IsLong => TBody.IsLong;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(int batch, int row, int column, Quartet<T> values)
    {
        if (row >= _channels) return;
        if (column < _columns) Store(batch, row, column, values.X);
        if (column + 1 < _columns) Store(batch, row, column + 1, values.Y);
        if (column + 2 < _columns) Store(batch, row, column + 2, values.Z);
        if (column + 3 < _columns) Store(batch, row, column + 3, values.W);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(int batch, int line, int position, T value)
    {
        int phase = batch / _groups, channel = (batch - phase * _groups) * _channels + line, image = position / _space.Positions;
        int pixel = _space.Pixel(phase, position - image * _space.Positions);
        if (pixel >= 0) _finish.Store(_images, (image * _groups * _channels + channel) * _space.Pixels + pixel, channel, 0, value);
    }
}

/// <summary>As <see cref="ImageTarget{T, TBody}"/> with positions that are the pixels, 16 bytes at a time: planes are multiples of four.</summary>
/// <param name="images">[image, group, channel, pixel].</param>
/// <param name="pixels">Elements of a plane.</param>
/// <param name="groups">Groups of channels.</param>
/// <param name="channels">Channels of a group.</param>
/// <param name="columns">Images times pixels.</param>
/// <param name="finish">What is done with the elements; its rows are channels, through the groups.</param>
internal readonly struct PlaneQuads<T, TBody>(ArrayView<Quartet<T>> images, int pixels, int groups, int channels, int columns, TileFinish<T, TBody> finish) : ITileTarget<T>
    where T : unmanaged, INumber<T>
    where TBody : struct, IProductBody<T>
{
    private readonly ArrayView<Quartet<T>> _images = images;
    private readonly int _pixels = pixels;
    private readonly int _groups = groups;
    private readonly int _channels = channels;
    private readonly int _columns = columns;
    private readonly TileFinish<T, TBody> _finish = finish;

    public static bool IsLong => TBody.IsLong;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(int batch, int row, int column, Quartet<T> values)
    {
        if (row >= _channels || column >= _columns) return;
        int image = column / _pixels, channel = batch * _channels + row;
        _finish.Store(_images, ((image * _groups * _channels + channel) * _pixels + column - image * _pixels) >> 2, channel, 0, values);
    }
}

/// <summary>The pixels of an image by phases of a stride.</summary>
internal readonly struct ImageSpace
{
    public required int SizeZ { get; init; }

    public required int SizeY { get; init; }

    public required int SizeX { get; init; }

    /// <summary>From one position of a phase to its next, and how many phases there are.</summary>
    public required int StepZ { get; init; }

    public required int StepY { get; init; }

    public required int StepX { get; init; }

    public int GridY => (SizeY + StepY - 1) / StepY;

    public int GridX => (SizeX + StepX - 1) / StepX;

    /// <summary>Pixels of a plane.</summary>
    public required int Pixels { get; init; }

    /// <summary>Positions of the first phase; the others have as many or fewer.</summary>
    public required int Positions { get; init; }

    /// <summary>The pixel of a position, or −1 where this phase has none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Pixel(int phase, int position)
    {
        int phasesX = StepX < SizeX ? StepX : SizeX, phasesY = StepY < SizeY ? StepY : SizeY;
        int phaseLine = phase / phasesX, phaseZ = phaseLine / phasesY, gridX = GridX, gridY = GridY;
        int line = position / gridX, lineZ = line / gridY;
        int z = lineZ * StepZ + phaseZ, y = (line - lineZ * gridY) * StepY + phaseLine - phaseZ * phasesY;
        int x = (position - line * gridX) * StepX + phase - phaseLine * phasesX;
        return z < SizeZ && y < SizeY && x < SizeX ? (z * SizeY + y) * SizeX + x : -1;
    }
}
