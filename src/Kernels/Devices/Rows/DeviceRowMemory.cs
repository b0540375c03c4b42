using System.Runtime.CompilerServices;
using ILGPU;

namespace Fusion.Kernels;

/// <summary>What row kernels call besides <see cref="DeviceMemory"/>.</summary>
internal static class DeviceRowMemory
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    [MethodImpl(Inline)]
    public static int GroupIndex() => Grid.IdxX;

    [MethodImpl(Inline)]
    public static int Groups() => Grid.DimX;

    [MethodImpl(Inline)]
    public static int ThreadInGroup() => Group.IdxX;

    [MethodImpl(Inline)]
    public static void Barrier() => Group.Barrier();

    [MethodImpl(Inline)]
    public static int Min(int a, int b) => a < b ? a : b;

    /// <summary>The value of the thread so many lanes on in the warp.</summary>
    [MethodImpl(Inline)]
    public static float ShuffleDown(float value, int distance) => Warp.ShuffleDown(value, distance);

    /// <summary>The value of the thread so many lanes on in the warp.</summary>
    [MethodImpl(Inline)]
    public static double ShuffleDown(double value, int distance) => Warp.ShuffleDown(value, distance);

    /// <summary>The value of the first thread of a team.</summary>
    /// <param name="value">This thread's value.</param>
    /// <param name="thread">Its place in the team.</param>
    [MethodImpl(Inline)]
    public static float FirstOfTeam(float value, int thread) => Warp.Shuffle(value, Warp.LaneIdx - thread);

    /// <summary>The value of the first thread of a team.</summary>
    /// <param name="value">This thread's value.</param>
    /// <param name="thread">Its place in the team.</param>
    [MethodImpl(Inline)]
    public static double FirstOfTeam(double value, int thread) => Warp.Shuffle(value, Warp.LaneIdx - thread);

    /// <summary>The row's label; −1 if it is none of the columns.</summary>
    [MethodImpl(Inline)]
    public static int Label(ArrayView<int> labels, int i, int columns) => (uint)labels[i] < (uint)columns ? labels[i] : -1;

    /// <summary>The row's label; −1 if it is none of the columns.</summary>
    [MethodImpl(Inline)]
    public static int Label(ArrayView<long> labels, int i, int columns) => (ulong)labels[i] < (ulong)columns ? (int)labels[i] : -1;

    /// <summary>The element at the label, NaN for none.</summary>
    [MethodImpl(Inline)]
    public static float AtLabel(ArrayView<float> row, int start, int label) => label < 0 ? DeviceMath.FromBits(0x7FC00000) : row[start + label];

    /// <summary>The element at the label, NaN for none.</summary>
    [MethodImpl(Inline)]
    public static double AtLabel(ArrayView<double> row, int start, int label) => label < 0 ? DeviceMath.FromBits(0x7FF8000000000000) : row[start + label];
}
