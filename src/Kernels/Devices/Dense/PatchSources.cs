using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU;

namespace Fusion.Kernels;

/// <summary>
/// The patches of a batch of images as a matrix that exists nowhere: lines are (image, position), the depth is (channel, tap). Matrices of the batch are
/// (phase, group).
/// </summary>
/// <param name="images">[image, group, channel, source].</param>
/// <param name="taps">See <see cref="PatchTables.Taps"/>; phases are filled up for <see cref="TileKernels.Ahead"/> depths more than they have.</param>
/// <param name="phases">See <see cref="PatchTables.Taps"/>.</param>
/// <param name="grid">The patches of an image.</param>
/// <param name="groups">Groups of channels.</param>
/// <param name="channels">Channels of a group.</param>
/// <param name="pitch">Entries between the taps of phases.</param>
/// <param name="lines">Images times positions.</param>
internal struct PatchGather<T, TCheck>(
    ArrayView<T> images, ArrayView<PatchEntry> taps, ArrayView<PatchPhase> phases, PatchGrid grid, int groups, int channels, int pitch, int lines)
    : ITileSource<T, PatchGather<T, TCheck>>
    where T : unmanaged, INumber<T>
    where TCheck : struct, IPatchCheck
{
    private readonly ArrayView<T> _images = images;
    private readonly ArrayView<PatchEntry> _taps = taps;
    private readonly ArrayView<PatchPhase> _phases = phases;
    private readonly PatchGrid _grid = grid;
    private readonly int _groups = groups;
    private readonly int _channels = channels;
    private readonly int _pitch = pitch;
    private readonly int _lines = lines;
    private PatchEntry _patch;
    private int _firstTap;

    public static TileOrder Order => TileOrder.Gather;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int Limit(int batch, int end)
    {
        int depth = _phases[batch / _groups].Depth;
        return depth < end ? depth : end;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly PatchGather<T, TCheck> At(int batch, int line, int spacing, int end)
    {
        PatchGather<T, TCheck> result = this;
        int phase = batch / _groups, group = batch - phase * _groups, image = line / _grid.Pixels;
        result._patch = line < _lines ? TCheck.Place(_grid, _phases[phase], line - image * _grid.Pixels) : TCheck.Nowhere;
        result._patch.Offset += (image * _groups + group) * _channels * _grid.Plane;
        result._firstTap = phase * _pitch;
        return result;
    }

    // All threads of a warp are at the same depth: what they read of the table is one address. What lies past a piece of the depth is loaded, not multiplied.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Quartet<T> Load(int depth)
    {
        int tap = _firstTap + depth;
        return new Quartet<T>(Element(_taps[tap]), Element(_taps[tap + 1]), Element(_taps[tap + 2]), Element(_taps[tap + 3]));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly T Element(PatchEntry tap) => TCheck.Contains(_grid, _patch, tap) ? _images[_patch.Offset + tap.Offset] : T.Zero;
}

/// <summary>The transpose of <see cref="PatchGather{T, TCheck}"/> for one phase: lines are (channel, tap), the depth is (image, position).</summary>
/// <param name="images">[image, group, channel, source].</param>
/// <param name="taps">See <see cref="PatchTables.Taps"/>; there are entries for the lines of whole tiles.</param>
/// <param name="pixels">See <see cref="PatchTables.Pixels"/>.</param>
/// <param name="perImage">Divides by their number.</param>
/// <param name="grid">The patches of an image.</param>
/// <param name="groups">Groups of channels.</param>
/// <param name="channels">Channels of a group.</param>
internal struct PatchSpread<T, TCheck>(
    ArrayView<T> images, ArrayView<PatchEntry> taps, ArrayView<PatchEntry> pixels, DeviceDivisor perImage, PatchGrid grid, int groups, int channels)
    : ITileSource<T, PatchSpread<T, TCheck>>
    where T : unmanaged, INumber<T>
    where TCheck : struct, IPatchCheck
{
    private readonly ArrayView<T> _images = images;
    private readonly ArrayView<PatchEntry> _taps = taps;
    private readonly ArrayView<PatchEntry> _pixels = pixels;
    private readonly DeviceDivisor _perImage = perImage;
    private readonly PatchGrid _grid = grid;
    private readonly int _groups = groups;
    private readonly int _channels = channels;
    private int _start;
    private int _line;
    private int _spacing;
    private int _end;

    public static TileOrder Order => TileOrder.Spread;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int Limit(int batch, int end) => end;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly PatchSpread<T, TCheck> At(int batch, int line, int spacing, int end)
    {
        PatchSpread<T, TCheck> result = this;
        result._start = batch * _channels * _grid.Plane;
        result._line = line;
        result._spacing = spacing;
        result._end = end;
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Quartet<T> Load(int depth)
    {
        int nearest = depth < _end ? depth : _end - 1, image = DeviceDivisor.Divide(nearest, _perImage);
        PatchEntry patch = _pixels[nearest - image * _grid.Pixels];
        if (depth >= _end) patch = TCheck.Nowhere;
        patch.Offset += _start + image * _groups * _channels * _grid.Plane;
        return new Quartet<T>(
            Element(patch, _taps[_line]), Element(patch, _taps[_line + _spacing]), Element(patch, _taps[_line + 2 * _spacing]),
            Element(patch, _taps[_line + 3 * _spacing]));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly T Element(PatchEntry patch, PatchEntry tap) => TCheck.Contains(_grid, patch, tap) ? _images[patch.Offset + tap.Offset] : T.Zero;
}
