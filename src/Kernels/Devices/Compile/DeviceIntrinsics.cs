using System.Reflection;
using ILGPU;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;
using ILGPU.IR.Values;

namespace Fusion.Kernels;

/// <summary>
/// How CUDA and OpenCL spell the operations of <see cref="DeviceMath"/>, one instruction or one expression each. Nothing in between sees what they
/// compute, so nothing folds, contracts or inverts them.
/// </summary>
/// <remarks>
/// PTX: instructions with a rounding mode are not contracted to fused multiply-adds, unlike <c>mul.f32</c> and <c>add.f32</c> without one (PTX ISA,
/// "Floating Point Instructions"); without <c>.ftz</c> denormal numbers are kept. ILGPU alone would emit the plain forms, compare without regard to NaN
/// on OpenCL, and have no fused multiply-add.
/// </remarks>
internal static class DeviceIntrinsics
{
    private const BindingFlags Static = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static;

    // {f} is the type of the first operand, {i} the integer type of its width; in OpenCL C, operands are ~0 to ~2, converted to their types.
    private static readonly Dictionary<string, (string Ptx, string OpenCL)> s_spellings = new()
    {
        [nameof(DeviceMath.Add)] = ("add.rn.{f}", "~0 + ~1"),
        [nameof(DeviceMath.Subtract)] = ("sub.rn.{f}", "~0 - ~1"),
        [nameof(DeviceMath.Multiply)] = ("mul.rn.{f}", "~0 * ~1"),
        [nameof(DeviceMath.Divide)] = ("div.rn.{f}", "~0 / ~1"),
        [nameof(DeviceMath.Fma)] = ("fma.rn.{f}", "fma(~0, ~1, ~2)"),
        [nameof(DeviceMath.Negate)] = ("neg.{f}", "-~0"),
        [nameof(DeviceMath.Sqrt)] = ("sqrt.rn.{f}", "sqrt(~0)"),
        [nameof(DeviceMath.Abs)] = ("abs.{f}", "fabs(~0)"),
        [nameof(DeviceMath.Round)] = ("cvt.rni.{f}.{f}", "rint(~0)"),
        [nameof(DeviceMath.Floor)] = ("cvt.rmi.{f}.{f}", "floor(~0)"),
        [nameof(DeviceMath.Ceiling)] = ("cvt.rpi.{f}.{f}", "ceil(~0)"),
        [nameof(DeviceMath.Truncate)] = ("cvt.rzi.{f}.{f}", "trunc(~0)"),
        [nameof(DeviceMath.Less)] = ("setp.lt.{f}", "~0 < ~1"),
        [nameof(DeviceMath.LessOrEqual)] = ("setp.le.{f}", "~0 <= ~1"),
        [nameof(DeviceMath.Greater)] = ("setp.gt.{f}", "~0 > ~1"),
        [nameof(DeviceMath.GreaterOrEqual)] = ("setp.ge.{f}", "~0 >= ~1"),
        [nameof(DeviceMath.Equal)] = ("setp.eq.{f}", "~0 == ~1"),
        [nameof(DeviceMath.NotEqual)] = ("setp.neu.{f}", "~0 != ~1"),
        [nameof(DeviceMath.ToBits)] = ("mov.b{w}", "as_{i}(~0)"),
        [nameof(DeviceMath.FromBits)] = ("mov.b{w}", "as_{f}(~0)"),
        [nameof(DeviceMath.Truncated)] = ("cvt.rzi.s{w}.{f}", "convert_{i}_sat_rtz(~0)"),
        [nameof(DeviceMath.Nearest)] = ("cvt.rn.f{w}.s{w}", "convert_{f}(~0)"),
        [nameof(DeviceMath.MultiplyHigh)] = ("mul.hi.u{w}", "mul_hi(~0, ~1)"),
    };

    /// <summary>Makes them known to a context that is being built.</summary>
    public static void Register(Context.Builder builder)
    {
        IntrinsicImplementationManager manager = builder.GetIntrinsicManager();
        foreach (MethodInfo method in typeof(DeviceMath).GetMethods(Static))
        {
            if (!method.IsDefined(typeof(IntrinsicImplementationAttribute))) continue;
            manager.RegisterMethod(method, new PTXIntrinsic(typeof(DeviceIntrinsics), nameof(WritePtx), IntrinsicImplementationMode.GenerateCode));
            manager.RegisterMethod(method, new CLIntrinsic(typeof(DeviceIntrinsics), nameof(WriteOpenCL), IntrinsicImplementationMode.GenerateCode));
        }
    }

    private static void WritePtx(PTXBackend backend, PTXCodeGenerator code, Value value)
    {
        MethodCall call = (MethodCall)value;
        (string spelling, Type type) = (s_spellings[call.Target.Source.Name].Ptx, OperandType(call));
        PTXCodeGenerator.HardwareRegister[] operands = new PTXCodeGenerator.HardwareRegister[call.Count];
        for (int i = 0; i < operands.Length; i++) operands[i] = code.EnsureHardwareRegister(code.LoadPrimitive(call[i]));
        PTXCodeGenerator.HardwareRegister result = code.AllocateHardware(value);
        using PTXCodeGenerator.CommandEmitter command = code.BeginCommand(Spell(spelling, type, type == typeof(double) ? "f64" : "f32"));
        command.AppendArgument(result);
        foreach (PTXCodeGenerator.HardwareRegister operand in operands) command.AppendArgument(operand);
    }

    private static void WriteOpenCL(CLBackend backend, CLCodeGenerator code, Value value)
    {
        MethodCall call = (MethodCall)value;
        Type type = OperandType(call);
        string spelling = Spell(s_spellings[call.Target.Source.Name].OpenCL, type, Is64(type) ? "double" : "float");
        CLCodeGenerator.Variable[] operands = new CLCodeGenerator.Variable[call.Count];
        for (int i = 0; i < operands.Length; i++) operands[i] = code.Load(call[i]);
        CLCodeGenerator.Variable result = code.Allocate(value);
        using CLCodeGenerator.StatementEmitter statement = code.BeginStatement(result);
        foreach (string part in spelling.Split('~'))
        {
            int literal = 0;
            if (part.Length > 0 && char.IsAsciiDigit(part[0]))
            {
                // A literal has the type that its digits suggest, without the conversion.
                statement.AppendCast(OpenCLType(type));
                statement.Append(operands[part[0] - '0']);
                literal = 1;
            }

            if (part.Length > literal) statement.AppendCommand(part[literal..]);
        }
    }

    private static Type OperandType(MethodCall call) => call.Target.Source.GetParameters()[0].ParameterType;

    private static bool Is64(Type type) => type == typeof(double) || type == typeof(long) || type == typeof(ulong);

    private static string OpenCLType(Type type) => type.Name switch
    {
        nameof(Single) => "float",
        nameof(Double) => "double",
        nameof(Int32) => "int",
        nameof(Int64) => "long",
        nameof(UInt32) => "uint",
        _ => "ulong",
    };

    private static string Spell(string template, Type type, string floatName) =>
        template.Replace("{f}", floatName).Replace("{i}", Is64(type) ? "long" : "int").Replace("{w}", Is64(type) ? "64" : "32");
}
