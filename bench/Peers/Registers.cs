using System.Diagnostics;
using System.Globalization;
using System.Runtime.Intrinsics;
using Fusion.Peers.Memory;

namespace Fusion.Peers;

/// <summary>
/// The width of vector registers. Asked for narrower ones than the machine's, the program runs once more with the variables by which Fusion, the JIT and LibTorch's libraries keep to them:
/// each reads its own once, when it is loaded.
/// </summary>
internal static class Registers
{
    private const string Ours = "FUSION_SIMD";

    /// <summary>Bits of the registers that Fusion uses in this process.</summary>
    public static int Bits { get; } = int.TryParse(Environment.GetEnvironmentVariable(Ours), CultureInfo.InvariantCulture, out int bits) ? Math.Min(bits, Widest) : Widest;

    /// <summary>Whether that is less than the machine has.</summary>
    public static bool AreNarrow => Environment.GetEnvironmentVariable(Ours) is not null;

    private static int Widest => Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;

    /// <summary>Whether this process is to be repeated with narrower registers.</summary>
    public static bool AreOthers(Options options) => options.Registers is { } bits && Environment.GetEnvironmentVariable(Ours) != bits.ToString(CultureInfo.InvariantCulture);

    /// <summary>The same command in a process whose sides all keep to so many bits; its exit code.</summary>
    public static int Run(int bits, string[] arguments)
    {
        ProcessStartInfo start = ChildProcess.Command(arguments);
        foreach ((string name, string value) in Variables(bits)) start.Environment[name] = value;
        using Process child = Process.Start(start)!;
        child.WaitForExit();
        return child.ExitCode;
    }

    // 256: a machine with AVX2, so that AVX-512's instructions and registers are ruled out too (on AMD's processors MKL keeps to AVX2 by itself).
    // 128: in place of an Arm machine, which has 32 registers and fused multiply-adds: those stay, and the part of the limit says more than the ratio to libraries made for SSE.
    private static (string Name, string Value)[] Variables(int bits) => bits switch
    {
        256 => [(Ours, "256"), ("DOTNET_EnableAVX512", "0"), ("ATEN_CPU_CAPABILITY", "avx2"), ("ONEDNN_MAX_CPU_ISA", "AVX2"), ("MKL_ENABLE_INSTRUCTIONS", "AVX2")],
        128 => [(Ours, "128"), ("ATEN_CPU_CAPABILITY", "default"), ("ONEDNN_MAX_CPU_ISA", "SSE41"), ("MKL_ENABLE_INSTRUCTIONS", "SSE4_2")],
        _ => throw new ArgumentException($"--registers {bits}: 128 or 256."),
    };
}
