using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>A <see cref="WindowShape"/> for kernels.</summary>
internal readonly struct DeviceWindow
{
    public DeviceWindow(in WindowShape s)
    {
        (Groups, InChannels, OutChannels) = (s.Groups, s.InChannels, s.OutChannels);
        int taps = DeviceGrid.Index(s.Taps);
        First = new PatchPhase
        {
            Z = -s.Before[0],
            Y = -s.Before[1],
            X = -s.Before[2],
            TapsZ = s.Kernel[0],
            TapsY = s.Kernel[1],
            TapsX = s.Kernel[2],
            Taps = taps,
            Depth = checked(s.InChannels * taps),
        };
        Grid = new PatchGrid
        {
            GridZ = s.Output[0],
            GridY = s.Output[1],
            GridX = s.Output[2],
            StepZ = s.Stride[0],
            StepY = s.Stride[1],
            StepX = s.Stride[2],
            SourceZ = s.Input[0],
            SourceY = s.Input[1],
            SourceX = s.Input[2],
            TapZ = s.Dilation[0],
            TapY = s.Dilation[1],
            TapX = s.Dilation[2],
        };
    }

    public int Groups { get; }

    public int InChannels { get; }

    public int OutChannels { get; }

    /// <summary>Where the first window begins, and its taps.</summary>
    public PatchPhase First { get; }

    /// <summary>The outputs over the inputs.</summary>
    public PatchGrid Grid { get; }

    /// <summary>An input's position from the begin of the first window: depth, height and width in A, B and C.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PatchEntry Input(int pixel)
    {
        int line = pixel / Grid.SourceX, z = line / Grid.SourceY;
        PatchEntry input = default;
        input.A = z - First.Z;
        input.B = line - z * Grid.SourceY - First.Y;
        input.C = pixel - line * Grid.SourceX - First.X;
        return input;
    }

    /// <summary>The output whose tap meets an input, or −1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Output(PatchEntry input, int tapZ, int tapY, int tapX)
    {
        int z = input.A - tapZ * Grid.TapZ, y = input.B - tapY * Grid.TapY, x = input.C - tapX * Grid.TapX;
        int outZ = z / Grid.StepZ, outY = y / Grid.StepY, outX = x / Grid.StepX;
        bool meets = ((z | y | x) >= 0) & (outZ * Grid.StepZ == z) & (outY * Grid.StepY == y) & (outX * Grid.StepX == x)
            & (outZ < Grid.GridZ) & (outY < Grid.GridY) & (outX < Grid.GridX);
        return meets ? (outZ * Grid.GridY + outY) * Grid.GridX + outX : -1;
    }
}
