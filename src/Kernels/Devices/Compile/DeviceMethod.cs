using System.Diagnostics.CodeAnalysis;
using System.Linq.Expressions;
using System.Reflection;
using System.Reflection.Emit;

namespace Fusion.Kernels;

/// <summary>Makes static methods of expression trees, in a form that the compilers of devices can read: IL of an assembly made at run time.</summary>
internal static class DeviceMethod
{
    /// <summary>The name of the assembly, which may see internals.</summary>
    public const string AssemblyName = "Fusion.DeviceKernels";

    private static readonly Lock s_lock = new();
    private static ModuleBuilder? s_module;
    private static int s_count;

    /// <summary>The statements as the method of a new type.</summary>
    /// <exception cref="PlatformNotSupportedException">Code cannot be made at run time.</exception>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The methods that kernels call are named in the trees.")]
    public static MethodInfo Create(IReadOnlyList<ParameterExpression> parameters, IEnumerable<Expression> statements)
    {
        if (!KernelCompiler.IsAvailable) throw KernelCompiler.NotAvailable();
        lock (s_lock)
        {
            s_module ??= AssemblyBuilder
                .DefineDynamicAssembly(new AssemblyName(AssemblyName), AssemblyBuilderAccess.RunAndCollect).DefineDynamicModule(AssemblyName);
            TypeBuilder type = s_module.DefineType($"Kernel{++s_count}", TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed);
            MethodBuilder method = type.DefineMethod(
                "Run", MethodAttributes.Public | MethodAttributes.Static, typeof(void), [.. parameters.Select(p => p.Type)]);
            new IlWriter(method.GetILGenerator(), parameters).Write(statements);
            return type.CreateType().GetMethod("Run")!;
        }
    }
}
