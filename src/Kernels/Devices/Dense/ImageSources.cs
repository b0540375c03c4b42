using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU;

namespace Fusion.Kernels;

/// <summary>
/// A batch of images as a matrix whose lines are channels and whose depth is (image, pixel), 16 bytes at a time: planes are multiples of four.
/// </summary>
/// <param name="images">[image, group, channel, pixel].</param>
/// <param name="groups">Groups of channels: the matrices of the batch.</param>
/// <param name="channels">Channels of a group.</param>
/// <param name="pixels">Elements of a plane.</param>
/// <param name="perImage">Divides by their number.</param>
internal struct ImageQuads<T>(ArrayView<Quartet<T>> images, int groups, int channels, int pixels, DeviceDivisor perImage) : ITileSource<T, ImageQuads<T>>
    where T : unmanaged, INumber<T>
{
    private readonly ArrayView<Quartet<T>> _images = images;
    private readonly int _groups = groups;
    private readonly int _channels = channels;
    private readonly int _pixels = pixels;
    private readonly DeviceDivisor _perImage = perImage;
    private int _plane;
    private int _end;

    public static TileOrder Order => TileOrder.Depth;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int Limit(int batch, int end) => end;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly ImageQuads<T> At(int batch, int line, int spacing, int end)
    {
        ImageQuads<T> result = this;
        result._plane = batch * _channels + line;
        result._end = line < _channels ? end : 0;
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Quartet<T> Load(int depth)
    {
        if (depth >= _end) return default;
        int image = DeviceDivisor.Divide(depth, _perImage);
        return _images[((image * _groups * _channels + _plane) * _pixels + depth - image * _pixels) >> 2];
    }
}

/// <summary>As <see cref="ImageQuads{T}"/>, for planes of any size.</summary>
/// <param name="images">[image, group, channel, pixel].</param>
/// <param name="groups">Groups of channels: the matrices of the batch.</param>
/// <param name="channels">Channels of a group.</param>
/// <param name="pixels">Elements of a plane.</param>
/// <param name="perImage">Divides by their number.</param>
internal struct ImageElements<T>(ArrayView<T> images, int groups, int channels, int pixels, DeviceDivisor perImage) : ITileSource<T, ImageElements<T>>
    where T : unmanaged, INumber<T>
{
    private readonly ArrayView<T> _images = images;
    private readonly int _groups = groups;
    private readonly int _channels = channels;
    private readonly int _pixels = pixels;
    private readonly DeviceDivisor _perImage = perImage;
    private int _plane;
    private int _end;

    public static TileOrder Order => TileOrder.Depth;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int Limit(int batch, int end) => end;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly ImageElements<T> At(int batch, int line, int spacing, int end)
    {
        ImageElements<T> result = this;
        result._plane = batch * _channels + line;
        result._end = line < _channels ? end : 0;
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Quartet<T> Load(int depth) => new(Element(depth), Element(depth + 1), Element(depth + 2), Element(depth + 3));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly T Element(int depth)
    {
        if (depth >= _end) return T.Zero;
        int image = DeviceDivisor.Divide(depth, _perImage);
        return _images[(image * _groups * _channels + _plane) * _pixels + depth - image * _pixels];
    }
}
