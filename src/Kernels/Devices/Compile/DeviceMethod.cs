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
            TypeBuilder type = (s_module ??= NewModule()).DefineType($"Kernel{++s_count}", TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed);
            MethodBuilder method = type.DefineMethod(
                "Run", MethodAttributes.Public | MethodAttributes.Static, typeof(void), [.. parameters.Select(p => p.Type)]);
            new IlWriter(method.GetILGenerator(), parameters).Write(statements);
            return type.CreateType().GetMethod("Run")!;
        }
    }

    /// <summary>A struct with the static methods of <see cref="IProductCode{T}"/>.</summary>
    /// <param name="contract">The interface, for a type of elements.</param>
    /// <param name="isLong">What it says of its length.</param>
    /// <param name="one">The method for one element.</param>
    /// <param name="quad">The method for four.</param>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The methods that kernels call are named in the trees.")]
    public static Type CreateProductCode(
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.All)] Type contract, bool isLong,
        (ParameterExpression[] Parameters, List<Expression> Statements) one, (ParameterExpression[] Parameters, List<Expression> Statements) quad)
    {
        if (!KernelCompiler.IsAvailable) throw KernelCompiler.NotAvailable();
        lock (s_lock)
        {
            TypeBuilder type = (s_module ??= NewModule()).DefineType($"ProductCode{++s_count}", TypeAttributes.Public | TypeAttributes.Sealed, typeof(ValueType));
            type.AddInterfaceImplementation(contract);
            ILGenerator il = Define(nameof(IProductCode<>.IsLong), "get_IsLong", typeof(bool), []);
            il.Emit(isLong ? OpCodes.Ldc_I4_1 : OpCodes.Ldc_I4_0);
            il.Emit(OpCodes.Ret);
            Write(nameof(IProductCode<>.Store), one.Parameters, one.Statements);
            Write(nameof(IProductCode<>.StoreQuad), quad.Parameters, quad.Statements);
            return type.CreateType();

            void Write(string name, ParameterExpression[] parameters, List<Expression> statements) =>
                new IlWriter(Define(name, name, typeof(void), [.. parameters.Select(static p => p.Type)]), parameters).Write(statements);

            ILGenerator Define(string name, string method, Type result, Type[] parameters)
            {
                MethodBuilder body = type.DefineMethod(name, MethodAttributes.Public | MethodAttributes.Static, result, parameters);
                body.SetImplementationFlags(MethodImplAttributes.AggressiveInlining);
                type.DefineMethodOverride(body, contract.GetMethod(method)!);
                return body.GetILGenerator();
            }
        }
    }

    private static ModuleBuilder NewModule() => KernelCompiler.IsAvailable
        ? AssemblyBuilder.DefineDynamicAssembly(new AssemblyName(AssemblyName), AssemblyBuilderAccess.RunAndCollect).DefineDynamicModule(AssemblyName)
        : throw KernelCompiler.NotAvailable();
}
