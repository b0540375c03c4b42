using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Fusion.Tests;

/// <summary>Memory comes back without <c>Dispose</c>, and as early as the library can know.</summary>
[Collection(nameof(ProcessState))]
public sealed class MemoryTests
{
    private const int Size = 1 << 18;
    private const long Bytes = 4L * Size;

    [Fact]
    public void ABackwardReleasesWhatTheGraphSaved()
    {
        NDArray x = Leaf.Attached(Nd.Full(Size, 0.5));
        long before = SettledLiveBytes();
        NDArray y = Chain(x, 20, Nd.Sin);
        long recorded = SettledLiveBytes();
        Assert.InRange(recorded - before, 20 * Bytes, 22 * Bytes);
        y.Backward();
        Assert.InRange(SettledLiveBytes() - before, 0, 2 * Bytes);
        GC.KeepAlive(y);
    }

    [Fact]
    public void HalfPrecisionKeepsHalf()
    {
        NDArray x = Leaf.Attached(Nd.Full(Size, 0.5, DType.BFloat16));
        long before = SettledLiveBytes();
        FusionRuntime.ResetPeak();
        NDArray y = Chain(x, 20, Nd.Sin);
        // Besides what is kept, a call holds its operand and its result in Float32.
        Assert.InRange(FusionRuntime.PeakBytes - before, 20 * Bytes / 2, 26 * Bytes / 2);
        Assert.InRange(SettledLiveBytes() - before, 20 * Bytes / 2, 22 * Bytes / 2);
        y.Backward();
        Assert.InRange(SettledLiveBytes() - before, 0, 2 * Bytes / 2);
        GC.KeepAlive(y);
    }

    [Fact]
    public void BackwardNeedsNoMoreThanAFewGradientsBeyondTheGraph()
    {
        NDArray x = Leaf.Attached(Nd.Full(Size, 0.5));
        NDArray y = Chain(x, 40, static a => a * a);
        SettledLiveBytes();
        FusionRuntime.ResetPeak();
        long before = FusionRuntime.LiveBytes;
        y.Backward();
        Assert.InRange(FusionRuntime.PeakBytes - before, 0, 8 * Bytes);
    }

    [Fact]
    public void OperatorsThatNeedNoValuesKeepNone()
    {
        NDArray x = Leaf.Attached(Nd.Full(Size, 0.5));
        long before = SettledLiveBytes();
        NDArray y = Chain(x, 20, static a => (a * 1.01 + 1 - a / 3).Reshape(-1));
        Assert.InRange(SettledLiveBytes() - before, 0, 2 * Bytes);
        y.Backward();
    }

    [Fact]
    public void ARetainedGraphKeepsItsValuesAndAnUnreachableOneDoesNot()
    {
        NDArray x = Leaf.Attached(Nd.Full(Size, 0.5));
        long before = SettledLiveBytes();
        Retain(x, before);
        Assert.InRange(SettledLiveBytes() - before, 0, Bytes);
        GC.KeepAlive(x);
    }

    // A method of its own: without optimisation a variable holds its array until its method returns.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Retain(NDArray x, long before)
    {
        NDArray y = Chain(x, 10, Nd.Sin);
        y.Backward(retainGraph: true);
        Assert.InRange(SettledLiveBytes() - before, 10 * Bytes, 13 * Bytes);
        GC.KeepAlive(y);
    }

    [Fact]
    public void LiveBytesReturnToTheirBaseAfterTraining()
    {
        long before = SettledLiveBytes();
        Train(steps: 20);
        Assert.Equal(before, SettledLiveBytes());
    }

    [Fact]
    public void LiveBytesOfStepsDoNotGrow()
    {
        NDArray w = Leaf.Attached(Nd.Ones((256, 256)));
        long afterFirst = 0;
        for (int step = 0; step < 60; step++)
        {
            Step(w);
            if (step == 5) afterFirst = SettledLiveBytes();
        }

        Assert.InRange(SettledLiveBytes(), 0, afterFirst);
    }

    [Fact]
    public void ALoopOfTemporariesStaysSmall()
    {
        // TorchSharp #1278: memory that the garbage collector cannot see grew until the process died.
        // Three gigabytes go through.
        NDArray x = Nd.Full(Size, 1);
        SettledLiveBytes();
        FusionRuntime.ResetPeak();
        long before = FusionRuntime.LiveBytes;
        using Process process = Process.GetCurrentProcess();
        long resident = process.WorkingSet64;
        for (int i = 0; i < 3000; i++) _ = x + i;
        Assert.InRange(FusionRuntime.PeakBytes - before, 0, 64L << 20);
        process.Refresh();
        Assert.InRange(process.WorkingSet64 - resident, long.MinValue, 300L << 20);
    }

    [Fact]
    public void AReleasedGigabyteIsNoRoomForGarbage()
    {
        NDArray x = Nd.Full(Size, 1);
        NDArray[] large = [.. Enumerable.Range(0, 4).Select(static _ => Nd.Zeros(64 * Size))];
        SettledLiveBytes();
        foreach (NDArray array in large) array.Dispose();
        long before = SettledLiveBytes();
        FusionRuntime.ResetPeak();
        for (int i = 0; i < 1000; i++) _ = x + i;
        Assert.InRange(FusionRuntime.PeakBytes - before, 0, 64L << 20);
    }

    [Fact]
    public void WhatFunctionsAndGradientRulesMakeOnTheirWayGoesBackAtOnce()
    {
        NDArray x = Leaf.Attached(Nd.Arange(0, Size) * (1.0 / Size)), target = Nd.Full(Size, 0.5);
        long before = SettledLiveBytes();
        FusionRuntime.ResetPeak();
        Assert.Equal(1.0 / 12, x.Var().Item<float>(), 1e-5);
        Assert.Equal(0.25, NN.Loss.L1(x, target).Item<float>(), 1e-5);
        Assert.InRange(FusionRuntime.PeakBytes - before, 0, Bytes / 8); // the deviations and differences are nowhere in memory
        Assert.Equal(0.75, NN.Loss.Hinge(x, target).Item<float>(), 1e-5);
        Assert.Equal(before, FusionRuntime.LiveBytes);
        Assert.InRange(FusionRuntime.PeakBytes - before, Bytes, 4 * Bytes);

        // While recording the tape keeps the operands alone; the gradient's temporaries come and go.
        NDArray loss;
        using (Autograd.Record()) loss = NN.Loss.Huber(x, target, delta: 0.25);
        Assert.InRange(FusionRuntime.LiveBytes - before, 0, Bytes / 2);
        loss.Backward();
        Assert.InRange(FusionRuntime.LiveBytes - before, 0, Bytes); // the gradient, which is x.Grad or was copied there
        float[] slope = x.Grad!.ToArray<float>();
        for (int i = 0; i < Size; i += 997) Assert.Equal(Math.Clamp((i / (double)Size) - 0.5, -0.25, 0.25) / Size, slope[i], 1e-9);
    }

    [Fact]
    public void DisposeGivesTheMemoryBackAtOnce()
    {
        long before = SettledLiveBytes();
        NDArray x = Nd.Zeros(Size);
        Assert.InRange(FusionRuntime.LiveBytes - before, Bytes, 2 * Bytes);
        x.Dispose();
        Assert.Equal(before, FusionRuntime.LiveBytes);
    }

    /// <summary>Live bytes when everything unreachable has been found.</summary>
    internal static long SettledLiveBytes()
    {
        // What threads of earlier tests still hold goes when these end: until collections find nothing more.
        long live = -1;
        for (int round = 0, unchanged = 0; round < 100 && unchanged < 2; round++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            long now = FusionRuntime.LiveBytes;
            unchanged = now == live ? unchanged + 1 : 0;
            live = now;
            if (unchanged == 0) Thread.Sleep(1);
        }

        return live;
    }

    // Not inlined: a caller's frame must not keep temporaries alive.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static NDArray Chain(NDArray x, int length, Func<NDArray, NDArray> link)
    {
        using RecordScope scope = Autograd.Record();
        NDArray y = x;
        for (int i = 0; i < length; i++) y = link(y);
        return y;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Train(int steps)
    {
        NDArray w = Leaf.Attached(Nd.Ones((256, 256)));
        for (int step = 0; step < steps; step++) Step(w);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Step(NDArray w)
    {
        using (Autograd.Record()) Nd.MatMul(w, w).Tanh().Square().Mean().Backward();
        w.Assign(w - 0.1 * w.Grad!);
    }
}
